// The words of a video, drawn for people who watch it on a phone or across a room. All sizes are shares of the video's height.
const INK = "#14211e", MUTED = "#46544f", PAPER = "#ffffff", SOFT = "#eef3f0", ACCENT = "#0f6b62", LINE = "#cfd8d3";
const FONT = '"Noto Sans", "DejaVu Sans", "Liberation Sans", Arial, sans-serif';
// The player's colours of the phases, and a shape beside each: colour never stands alone.
const PHASES = {
  descent: { colour: "#2f6fb5", arrow: 1 }, bottom: { colour: "#8a5a00", arrow: 0 },
  ascent: { colour: "#2d7a46", arrow: -1 }, stand: { colour: "#46544f", arrow: 0 },
};

function set(pen, size, weight = 500, colour = INK) {
  pen.font = `${weight} ${Math.round(size)}px ${FONT}`;
  pen.fillStyle = colour;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
}

/** The text in lines no wider than `width`; a word that is wider itself is cut. */
export function wrap(pen, text, width) {
  const lines = [];
  let line = "";
  const words = text.split(/\s+/).filter(Boolean).flatMap((word) => pieces(pen, word, width));
  for (const word of words) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line) lines.push(line);
  return lines;
}

function pieces(pen, word, width) {
  if (pen.measureText(word).width <= width) return [word];
  const found = [];
  let piece = "";
  for (const sign of word) {
    if (piece && pen.measureText(piece + sign).width > width) { found.push(piece); piece = ""; }
    piece += sign;
  }
  return [...found, piece];
}

function paper(pen, width, height, colour = PAPER) {
  pen.fillStyle = colour;
  pen.fillRect(0, 0, width, height);
}

function brand(pen, logo, x, y, size, title) {
  pen.drawImage(logo, x, y, size, size);
  set(pen, size * 0.62, 650);
  pen.fillText(title, x + size * 1.3, y + size * 0.74);
}

/**
 * A whole picture of words: title, lines (numbered when `numbered`), small print. Returns how many of `lines` did not fit:
 * they belong on the next card.
 */
export function card(pen, width, height, { logo, title, heading, lines, first = 0, numbered = false, small = "" }) {
  const u = height / 720, margin = 76 * u, inner = width - 2 * margin;
  paper(pen, width, height);
  brand(pen, logo, margin, 52 * u, 52 * u, title);
  pen.fillStyle = ACCENT;
  pen.fillRect(margin, 124 * u, inner, 3 * u);
  set(pen, 40 * u, 650);
  pen.fillText(heading, margin, 190 * u);
  set(pen, 19 * u, 450);
  const print = small ? wrap(pen, small, inner) : [];
  const floor = height - 46 * u - print.length * 26 * u - (print.length ? 14 * u : 0);
  let y = 226 * u, used = 0;
  for (const line of lines) {
    set(pen, 30 * u, 500);
    const indent = numbered ? 52 * u : 0;
    const rows = wrap(pen, line, inner - indent);
    if (used && y + rows.length * 41 * u > floor) break;
    if (numbered) {
      set(pen, 30 * u, 700, ACCENT);
      pen.fillText(`${first + used + 1}`, margin, y + 32 * u);
      set(pen, 30 * u, 500);
    }
    for (const row of rows) {
      if (y + 32 * u > floor) break; // a single instruction longer than a card
      pen.fillText(row, margin + indent, y + 32 * u);
      y += 41 * u;
    }
    y += 13 * u;
    used += 1;
  }
  set(pen, 19 * u, 450, MUTED);
  print.forEach((row, index) => pen.fillText(row, margin, height - 46 * u - (print.length - 1 - index) * 26 * u));
  return lines.length - used;
}

/** Beside the body: logo and title, room for the count, the instructions in the largest type that shows them all. */
export function panel(pen, width, height, { logo, title, lines, top, scale: u, small }) {
  const margin = 26 * u, inner = width - 2 * margin;
  paper(pen, width, height);
  brand(pen, logo, margin, 28 * u, 40 * u, title);
  set(pen, 16 * u, 500);
  const print = wrap(pen, small, inner);
  const floor = height - 20 * u - print.length * 22 * u;
  let shown = null;
  for (const size of [26, 24, 22, 20, 18]) {
    set(pen, size * u, 500);
    const rows = lines.map((line) => wrap(pen, line, inner - 34 * u));
    const tall = rows.reduce((sum, each) => sum + each.length * size * 1.3 * u + 10 * u, 0);
    shown = { size, rows };
    if (top + tall <= floor) break;
  }
  let y = top, left = 0;
  shown.rows.forEach((rows, index) => {
    const tall = rows.length * shown.size * 1.3 * u;
    if (left || y + tall > floor) { left += 1; return; } // the opening card has them all
    set(pen, shown.size * u, 700, ACCENT);
    pen.fillText(`${index + 1}`, margin, y + shown.size * u);
    set(pen, shown.size * u, 500);
    for (const row of rows) { pen.fillText(row, margin + 34 * u, y + shown.size * u); y += shown.size * 1.3 * u; }
    y += 10 * u;
  });
  set(pen, 16 * u, 500, MUTED);
  print.forEach((row, index) => pen.fillText(row, margin, height - 18 * u - (print.length - 1 - index) * 22 * u));
  return left;
}

/** The repetition: "3 of 8". */
export function count(pen, width, height, { scale: u, label, text }) {
  const margin = 26 * u;
  paper(pen, width, height, SOFT);
  set(pen, 20 * u, 550, MUTED);
  pen.fillText(label, margin, 32 * u);
  set(pen, 56 * u, 700);
  pen.fillText(text, margin, height - 20 * u);
}

/** Below the body: an arrow and the word of the phase, its seconds, and the repetition as a line of phases. */
export function phase(pen, width, height, { scale: u, name, word, seconds, track, segments }) {
  const { colour, arrow } = PHASES[name] ?? PHASES.stand;
  paper(pen, width, height);
  pen.fillStyle = LINE;
  pen.fillRect(0, 0, width, 2 * u);
  const x = 40 * u, middle = height / 2 + u;
  mark(pen, x + 24 * u, middle, 22 * u, arrow, colour);
  set(pen, 46 * u, 700, colour);
  pen.fillText(word, x + 68 * u, middle + 16 * u);
  const after = x + 68 * u + pen.measureText(word).width + 18 * u;
  set(pen, 26 * u, 500, MUTED);
  pen.fillText(seconds, after, middle + 14 * u);
  for (const segment of segments) {
    pen.fillStyle = (PHASES[segment.name] ?? PHASES.stand).colour;
    const left = track.x + segment.from * track.width, right = track.x + segment.to * track.width;
    pen.fillRect(left, middle - 7 * u, Math.max(0, right - left - 3 * u), 14 * u);
  }
}

/** An arrow down (1) or up (-1), or two bars (0). */
function mark(pen, x, y, size, arrow, colour) {
  pen.fillStyle = colour;
  if (arrow === 0) {
    pen.fillRect(x - size * 0.7, y - size * 0.8, size * 0.45, size * 1.6);
    pen.fillRect(x + size * 0.25, y - size * 0.8, size * 0.45, size * 1.6);
    return;
  }
  pen.beginPath();
  pen.moveTo(x, y + arrow * size);
  pen.lineTo(x - size * 0.85, y - arrow * size * 0.1);
  pen.lineTo(x - size * 0.32, y - arrow * size * 0.1);
  pen.lineTo(x - size * 0.32, y - arrow * size * 0.95);
  pen.lineTo(x + size * 0.32, y - arrow * size * 0.95);
  pen.lineTo(x + size * 0.32, y - arrow * size * 0.1);
  pen.lineTo(x + size * 0.85, y - arrow * size * 0.1);
  pen.closePath();
  pen.fill();
}
