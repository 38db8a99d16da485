"""Fall risk in a real browser: filled in by pieces, alert on a colleague's page, a fall reported on a phone."""
from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.test_journeys import PHONE, fits, visitor  # noqa: F401 - a fixture

LIVE_MS = 20_000        # a hint takes milliseconds; a busy machine more


def answer(page: Page, field: str, what: str) -> None:
    """Answer one question of the assessment and wait until its section is saved."""
    group = page.locator(f"#field-{field}")
    if what in ("Yes", "No"):
        group.get_by_label(what, exact=True).check()
    else:
        group.locator("input").fill(what)
        group.locator("input").blur()
    saved = group.locator("xpath=ancestor::form").locator(".saved")
    expect(saved).to_contain_text(re.compile("Saved|not saved"))


def acknowledge(page: Page, name: str, note: str) -> None:
    page.get_by_role("link", name=f"Acknowledge the alert of {name}").first.click()
    page.get_by_label("What you do about it").fill(note)
    page.get_by_role("button", name=re.compile("^Acknowledge as")).click()
    expect(page.get_by_text("Acknowledged in your name.")).to_be_visible()


def test_from_pieces_to_a_colleagues_alert(visitor):  # noqa: F811
    maria = visitor("maria@demo.example")
    maria.get_by_role("link", name="Coleman, Derek").click()
    maria.get_by_role("link", name="Add a clinician").click()
    maria.get_by_label("Clinician").select_option(label="Jonas Weber")
    maria.get_by_role("button", name="Save").click()
    jonas = visitor("jonas@demo.example")
    expect(jonas.get_by_role("heading", level=1, name="Patients")).to_be_visible()

    maria.locator("section", has_text="Fall risk").get_by_role("link", name="Open").click()
    maria.get_by_role("button", name="New assessment").click()
    fits(maria, "Fall-risk assessment")
    answer(maria, "tug_s", "999")
    expect(maria.get_by_text("Enter a number from 3 to 180 s.")).to_be_visible()
    expect(maria.locator("#field-tug_s input")).to_have_attribute("aria-invalid", "true")
    expect(maria.locator("#field-tug_s input")).to_have_value("999")        # what was typed is kept
    answer(maria, "tug_s", "16,5")
    expect(maria.get_by_text("Enter a number from 3 to 180 s.")).to_have_count(0)
    answer(maria, "falls_12m", "2")
    maria.reload()                                                          # half-done is kept
    expect(maria.locator("#field-falls_12m input")).to_have_value("2")
    expect(maria.locator("#field-tug_s input")).to_have_value("16.5")
    answer(maria, "fall_injury", "Yes")
    maria.get_by_role("button", name="Complete the assessment").click()
    fits(maria, "Fall risk")
    expect(maria.locator(".headline")).to_contain_text("High")
    expect(maria.get_by_text("Does not apply.").first).to_be_visible()      # he is 34

    bar = jonas.get_by_role("alert", name="Alerts")
    expect(bar.get_by_text("Derek Coleman", exact=True)).to_be_visible(timeout=LIVE_MS)     # without reloading
    acknowledge(jonas, "Derek Coleman", "Called him, seen tomorrow.")
    bar = maria.get_by_role("alert", name="Alerts")
    expect(bar.get_by_text("Derek Coleman", exact=True)).to_have_count(0, timeout=LIVE_MS)
    maria.reload()
    expect(maria.get_by_text("acknowledged by Jonas Weber: Called him, seen tomorrow.")).to_be_visible()


def test_a_fall_reported_on_a_phone_holds_the_exercise(visitor):  # noqa: F811
    maria = visitor("maria@demo.example")
    phone = visitor("lena@demo.example", PHONE)
    phone.get_by_role("main").get_by_role("link", name="I fell").click()
    fits(phone, "I fell")
    phone.get_by_role("button", name="Tell my clinic").click()
    expect(phone.get_by_text("This field is required.")).to_be_visible()
    phone.get_by_label("A little: a bruise").check()
    phone.get_by_label("What happened?").fill("I slipped on the stairs.")
    phone.get_by_role("button", name="Tell my clinic").click()
    fits(phone, "Thank you for telling us")
    phone.get_by_role("link", name="Back to today").click()
    fits(phone, "On hold: talk to your clinician")
    assert phone.locator("motion-player").count() == 0

    bar = maria.get_by_role("alert", name="Alerts")
    expect(bar.get_by_text("Lena Hofmann", exact=True)).to_be_visible(timeout=LIVE_MS)
    acknowledge(maria, "Lena Hofmann", "Spoke with her: nothing broken.")
    expect(maria.get_by_text("I slipped on the stairs.")).to_be_visible()
    maria.get_by_role("link", name=re.compile("Look at it, end the hold")).click()
    maria.locator("form", has_text="End the hold").get_by_label("Reason").fill("She moves without pain.")
    maria.get_by_role("button", name="End the hold").click()
    expect(maria.get_by_role("heading", name="Put on hold")).to_be_visible()
    phone.reload()
    fits(phone, "Your squat")


def test_the_administrators_report(visitor):  # noqa: F811
    page = visitor("admin@demo.example")
    page.get_by_role("link", name="Fall risk").click()
    fits(page, re.compile("^Fall risk of"))
    page.wait_for_selector(".plot[data-ready]")
    expect(page.get_by_role("row", name=re.compile("^High hidden"))).to_be_visible()
    page.get_by_role("link", name="Who is due").click()
    fits(page, "Who is due")


def test_a_patients_page_renews_itself_under_the_writer(visitor):  # noqa: F811
    maria = visitor("maria@demo.example")
    maria.get_by_role("link", name="Marchetti, Rosa").click()
    maria.locator("section", has_text="Fall risk").get_by_role("link", name="Open").click()
    fits(maria, "Fall risk")
    score = maria.locator("details.score").first
    score.locator("summary").click()
    maria.get_by_text("Release new words").click()
    words = maria.locator("#id_text")
    words.fill("Half a sent")
    words.evaluate("field => field.setSelectionRange(4, 4)")
    phone = visitor("rosa@demo.example", PHONE)
    phone.get_by_role("main").get_by_role("link", name="I fell").click()
    phone.get_by_label("A little: a bruise").check()
    phone.get_by_label("What happened?").fill("Over the cat.")
    phone.get_by_role("button", name="Tell my clinic").click()
    fits(phone, "Thank you for telling us")

    falls = maria.get_by_role("region", name="Falls reported")
    expect(falls.get_by_text("Over the cat.")).to_be_visible(timeout=LIVE_MS)      # without reloading
    expect(maria.get_by_role("region", name="Alerts").get_by_text("reported by the patient").first).to_be_visible()
    expect(words).to_have_value("Half a sent")
    expect(words).to_be_focused()
    assert words.evaluate("field => field.selectionStart") == 4
    expect(score).to_have_attribute("open", "")
    maria.keyboard.type("-")
    expect(words).to_have_value("Half- a sent")
    acknowledge(maria, "Rosa Marchetti", "Spoke with her.")
