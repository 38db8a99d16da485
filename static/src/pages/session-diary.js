// "How did it go?" on a poor connection. What the patient tells is first written down in this browser, then sent until the
// clinic confirms it. Every entry carries a number of its own, so that sending it twice stores it once. It is removed from
// the browser as soon as it is confirmed; each account sees only its own.
const RETRY_MS = [5_000, 15_000, 60_000];
const DRAFT_HOURS = 12; // an exercise begun longer ago is not gone on with
const ONE_SESSION_S = 6 * 3600; // the longest that the clinic takes for one session

class Diary {
  #tries = 0; #timer = 0; #busy = false;

  constructor(place) {
    this.place = place;
    this.key = `genuflex.diary.${place.dataset.diary}`;
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden || this.send());
    addEventListener("storage", (event) => event.key === this.key && this.show());
    this.show();
    this.send();
  }

  get entries() { return read(this.key, []); }

  /** Returns false when the browser keeps nothing: the form is then sent the ordinary way. */
  keep(entry) {
    if (!write(this.key, [...this.entries.filter((one) => one.entry.id !== entry.id), { entry }])) return false;
    this.show();
    return true;
  }

  /** Sends what waits. Returns the ids that the clinic has confirmed now. */
  async send() {
    if (this.#busy) return [];
    this.#busy = true;
    clearTimeout(this.#timer);
    const confirmed = [];
    for (const { entry, refused } of this.entries) {
      if (refused) continue;
      const answer = await this.#post(entry);
      if (answer === null) break; // no connection: all of them wait
      if (answer.ok) {
        confirmed.push(entry.id);
        this.#change(entry.id, () => null);
      } else if ([400, 404, 409].includes(answer.status)) {
        const problem = await answer.json().catch(() => ({}));
        const why = (problem.errors ?? []).map((error) => error.message).join(" ") || "The clinic did not accept it.";
        this.#change(entry.id, (one) => ({ ...one, refused: why }));
      } else {
        this.signedOut = [401, 403].includes(answer.status);
        break;
      }
    }
    this.#busy = false;
    if (this.entries.some((one) => !one.refused)) {
      this.#timer = setTimeout(() => this.send(), RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)]);
      this.#tries += 1;
    } else this.#tries = 0;
    this.show();
    return confirmed;
  }

  async #post(entry) {
    const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
    return fetch(this.place.dataset.send, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", ...token }, body: JSON.stringify(entry),
    }).catch(() => null);
  }

  // Read anew each time: another tab may have changed the list meanwhile.
  #change(id, how) {
    write(this.key, this.entries.map((one) => (one.entry.id === id ? how(one) : one)).filter(Boolean));
  }

  show() {
    this.place.replaceChildren(...this.entries.map((one) => this.#notice(one)));
  }

  #notice({ entry, refused }) {
    const box = element("section", `notice ${refused ? "notice--error" : "notice--warning"} unsent`);
    const when = new Date(entry.finished_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    box.append(element("h2", "", refused ? "Not accepted" : "Not sent yet"));
    if (refused) box.append(element("p", "", `Your session of ${when}: ${refused}`));
    else {
      const how = this.signedOut ? "Sign in again, then it is sent." : "It is kept on this device and sent as soon as there is a connection.";
      box.append(element("p", "", `Your session of ${when} has not reached your clinic. ${how}`));
    }
    const actions = element("div", "actions");
    const button = element("button", "button button--small", refused ? "Remove it" : "Send now");
    button.type = "button";
    button.addEventListener("click", () => {
      if (!refused) return void this.send().then((done) => done.includes(entry.id) && location.assign(this.told(entry)));
      this.#change(entry.id, () => null);
      this.show();
    });
    actions.append(button);
    box.append(actions);
    return box;
  }

  told(entry) { return `${this.place.dataset.told}${entry.id}/`; }
}

class SessionForm {
  #typed = new Set();
  #done = { sets: 0, before: 0, current: 0 }; // sets complete, their repetitions, those of the present set

  constructor(form, diary) {
    Object.assign(this, { form, diary, draftKey: `${diary.key}.draft` });
    this.#restore();
    form.addEventListener("input", (event) => { this.#typed.add(event.target.name); this.#draft(); });
    form.addEventListener("submit", (event) => this.#submit(event));
    const player = document.querySelector("motion-player[exercise]");
    player?.addEventListener("repetition", ({ detail }) => this.#count(detail));
    player?.addEventListener("set", ({ detail }) => this.#set(detail));
    player?.addEventListener("finished", ({ detail }) => this.#finished(detail));
  }

  #count({ count, set }) {
    if (set === 1 && count === 1) this.#done = { sets: 0, before: 0, current: 0 }; // begun anew
    this.#done.current = count;
    if (!this.started) this.started = new Date();
    this.#fill();
  }

  #set({ repetitions }) {
    const { sets, before } = this.#done;
    this.#done = { sets: sets + 1, before: before + repetitions, current: 0 };
    this.#fill();
  }

  #finished({ seconds }) {
    this.started = new Date(Date.now() - 1000 * seconds);
    this.#fill();
    this.form.closest("section")?.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  #fill() {
    const { sets, before, current } = this.#done;
    this.finished = new Date();
    const minutes = Math.max(1, Math.round((this.finished - this.started) / 60_000));
    const counted = { sets: sets + (current > 0 ? 1 : 0), repetitions: before + current, minutes };
    for (const [name, value] of Object.entries(counted)) if (!this.#typed.has(name)) this.form.elements[name].value = value;
    this.#draft();
  }

  #draft() {
    const answers = [...new FormData(this.form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    write(this.draftKey, {
      prescription: this.form.dataset.prescription, at: Date.now(), answers, typed: [...this.#typed],
      started: this.started?.toISOString(), finished: this.finished?.toISOString(),
    });
  }

  #restore() {
    const draft = read(this.draftKey, null);
    if (!draft || draft.prescription !== this.form.dataset.prescription || Date.now() - draft.at > DRAFT_HOURS * 3_600_000) return;
    this.#typed = new Set(draft.typed);
    if (draft.started) [this.started, this.finished] = [new Date(draft.started), new Date(draft.finished)];
    for (const input of this.form.elements) {
      const values = draft.answers.filter(([name]) => name === input.name).map(([, value]) => value);
      if (["checkbox", "radio"].includes(input.type)) input.checked = values.includes(input.value);
      else if (values.length && input.name !== "csrfmiddlewaretoken") [input.value] = values;
    }
  }

  async #submit(event) {
    const data = new FormData(this.form);
    const number = (name) => (data.get(name) ? Number(data.get(name)) : null);
    if (["sets", "repetitions", "minutes", "pain_during", "pain_after"].some((name) => number(name) === null)) return; // the server says what is missing
    event.preventDefault();
    const [started, finished] = this.#times(number("minutes"));
    const red_flags = data.getAll("red_flags");
    const entry = {
      id: data.get("session_id"), prescription: this.form.dataset.prescription, started_at: started.toISOString(), finished_at: finished.toISOString(),
      sets: number("sets"), repetitions: number("repetitions"), pain_before: number("pain_before"), pain_during: number("pain_during"),
      pain_after: number("pain_after"), difficulty: number("difficulty"), red_flags, stopped_early: data.get("stopped_early"), note: data.get("note"),
    };
    if (!this.diary.keep(entry)) { this.form.submit(); return; }
    removeKept(this.draftKey);
    const confirmed = await this.diary.send();
    if (confirmed.includes(entry.id)) { location.assign(this.diary.told(entry)); return; }
    const most = Number(this.form.dataset.painLimit);
    const stop = Math.max(entry.pain_during, entry.pain_after) > most || red_flags.length > 0 || entry.stopped_early === "unwell";
    this.#written(stop);
  }

  // As counted, unless the patient typed another duration.
  #times(minutes) {
    const counted = this.started && (this.finished - this.started) / 1000 < ONE_SESSION_S;
    if (counted && !this.#typed.has("minutes")) return [this.started, this.finished];
    const finished = this.finished ?? new Date();
    return [new Date(finished - minutes * 60_000), finished];
  }

  // The form gives way to what the patient must know now: the entry is safe, and whether to stop.
  #written(stop) {
    const told = element("div", `notice ${stop ? "notice--error" : "notice--success"}`);
    told.tabIndex = -1;
    if (stop) told.append(document.getElementById("diary-stop").content.cloneNode(true));
    else told.append(element("p", "", "Written down. Well done."));
    this.form.replaceWith(told);
    this.diary.place.scrollIntoView({ block: "center" });
    told.focus({ preventScroll: true });
  }
}

function element(name, className, words = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = words;
  return made;
}

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch { // storage is switched off or full
    return false;
  }
}

function removeKept(key) {
  try {
    localStorage.removeItem(key);
  } catch { /* storage is switched off: nothing was kept */ }
}

const place = document.querySelector("[data-diary]");
if (place) {
  const diary = new Diary(place);
  const form = document.querySelector("form[data-session-form]");
  if (form) new SessionForm(form, diary);
}
