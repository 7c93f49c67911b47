"""Every code that the program can give has its texts, in both languages, for people to act on."""

import ast
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest

from app import catalogue
from app.catalogue import AREAS, MAILS, REASONS, SENTENCES, WORDS
from app.documents import Document
from app.effects import EffectState
from app.errors import Reason, because
from app.languages import LANGUAGES, Language, language_of
from app.reasons import OPTIONAL, PLACEHOLDER, Who, explain, sentence
from app.sync.refusals import WAITS_FOR
from app.worklist import TRANSFERS

APP = Path(catalogue.__file__).parent.parent

# Told when they are known; the sentences are whole without them.
WELCOME = {
    "fortnox_unit_missing": {"product", "unit"},
    "payment_taken_back": {"currency"},
    "rows_differ_from_total": {"currency"},
}

Facts = dict[str, set[str]]


# --- what the program says, read from its source ---


REASON_AT = {"because": 0, "Follows": 1}
SENTENCE_AT = {"journal.write": 3, "_note": 2, "_remember": 5, "sentence": 0}


class Said:
    """Codes and the facts given with them, wherever the source gives a code as a literal."""

    def __init__(self) -> None:
        self.reasons: Facts = {}
        self.sentences: Facts = {}
        self.actions: set[str] = set()
        self.unread: list[str] = []
        sources = sorted([*APP.rglob("*.py"), *(APP.parent / "workers").rglob("*.py")])
        paths = [path for path in sources if "sandbox" not in path.parts]
        modules = [ast.parse(path.read_text("utf-8")) for path in paths]
        kinds = {_text(call.args[0]) for one in modules for call in _calls(one, "Register")}
        for module in modules:
            self._read(module, {"register.kind": kinds, "row.state": set(get_args(EffectState))})

    def _read(self, module: ast.Module, values: dict[str, set[str]]) -> None:
        told: set[str] = set()
        passed_on: set[str] = set()
        for function in _functions(module):
            known = values | {"what": _assigned(function, "what")}
            for call in _calls(function):
                name, facts = ast.unparse(call.func), _facts(call, function)
                if name in REASON_AT and len(call.args) > REASON_AT[name]:
                    code = call.args[REASON_AT[name]]
                    codes = _codes(code, known) | _looked_up(code, function, module)
                    self.unread += [] if codes else [ast.unparse(call)]
                    _add(self.reasons, codes, facts)
                elif name in SENTENCE_AT and len(call.args) > SENTENCE_AT[name]:
                    codes = _codes(call.args[SENTENCE_AT[name]], known)
                    if isinstance(call.args[SENTENCE_AT[name]], ast.JoinedStr) and not codes:
                        self.unread.append(ast.unparse(call))
                    told |= codes
                    passed_on |= set() if codes else facts
                    _add(self.sentences, codes, facts)
                elif name == "Intent":
                    self.actions |= _codes(call.args[3], known) | _constant(call.args[3], module)
        if passed_on:  # facts given where the code is a parameter go with the codes given to it
            _add(self.sentences, told, passed_on)


def _add(said: Facts, codes: set[str], facts: set[str]) -> None:
    for code in codes:
        said.setdefault(code, set()).update(facts)


def _functions(module: ast.Module) -> list[ast.AST]:
    """Those of the module and of its classes; what stands inside one belongs to it."""
    bodies = [module.body, *(one.body for one in module.body if isinstance(one, ast.ClassDef))]
    return [
        one
        for body in bodies
        for one in body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _calls(tree: ast.AST, name: str = "") -> Iterator[ast.Call]:
    for one in ast.walk(tree):
        if isinstance(one, ast.Call) and name in ("", ast.unparse(one.func)):
            yield one


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _codes(node: ast.expr, values: dict[str, set[str]]) -> set[str]:
    """A literal, either side of `or`, or an f-string with every value its parts can have."""
    if isinstance(node, ast.JoinedStr):
        codes = {""}
        for part in node.values:
            holds = isinstance(part, ast.FormattedValue)
            ends = values.get(ast.unparse(part.value), set()) if holds else {_text(part)}
            codes = {code + end for code in codes for end in ends}
        return codes
    if isinstance(node, ast.BoolOp):
        return {_text(one) for one in node.values} - {""}
    return {_text(node)} - {""}


def _constant(node: ast.expr, module: ast.Module) -> set[str]:
    """What a name of the module stands for."""
    named = [one for one in module.body if isinstance(one, ast.Assign)]
    return {_text(one.value) for one in named if ast.unparse(one.targets[0]) == ast.unparse(node)}


def _looked_up(node: ast.expr, function: ast.AST, module: ast.Module) -> set[str]:
    """All values of the tables of codes that the code is looked up in, here or by a helper."""
    tables = {
        ast.unparse(one.targets[0]): {_text(value) for value in one.value.values}
        for one in module.body
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Dict)
    }
    helpers = {one.name: one for one in module.body if isinstance(one, ast.FunctionDef)}
    names, unseen = set(), _names(node)
    while unseen:
        name = unseen.pop()
        names.add(name)
        behind = [helpers[name]] if name in helpers else _values(function, name)
        unseen |= {found for one in behind for found in _names(one)} - names
    return {code for name in names & set(tables) for code in tables[name]} - {""}


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _values(function: ast.AST, name: str) -> list[ast.expr]:
    """What the function assigns to a name."""
    return [
        one.value
        for one in ast.walk(function)
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == name
    ]


def _facts(call: ast.Call, function: ast.AST) -> set[str]:
    """Keywords, and the keys of a dict that is spread out or, to `sentence`, handed over."""
    facts = {keyword.arg for keyword in call.keywords if keyword.arg}
    dicts = [keyword.value for keyword in call.keywords if keyword.arg is None]
    dicts += call.args[1:2] if ast.unparse(call.func) == "sentence" else []
    return facts.union(*(_spread(one, function) for one in dicts))


def _spread(node: ast.expr, function: ast.AST) -> set[str]:
    """The literal keys of a dict that the function writes down under this name."""
    dicts = [
        part
        for value in _values(function, ast.unparse(node))
        for part in ast.walk(value)
        if isinstance(part, ast.Dict)
    ]
    return {_text(key) for one in dicts for key in one.keys if key}


def _assigned(function: ast.AST, name: str) -> set[str]:
    """The literals that a name can stand for, on either side of an `if`."""
    found: set[str] = set()
    for value in _values(function, name):
        branches = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
        found |= {_text(branch) for branch in branches}
    return found


SAID = Said()


def every_text() -> Iterator[tuple[str, Language, str]]:
    for language in LANGUAGES:
        for code, entry in REASONS.items():
            yield code, language, entry[language]["message"]
            yield code, language, entry[language]["next_step"]
        for code, texts in SENTENCES.items():
            yield code, language, texts[language]
        for table in WORDS.values():
            for code, texts in table.items():
                yield code, language, texts[language]


def placeholders(code: str, language: Language) -> set[str]:
    texts = [text for one, spoken, text in every_text() if (one, spoken) == (code, language)]
    return {name for text in texts for name in PLACEHOLDER.findall(text)}


# --- nothing is without words ---


def test_the_scan_sees_every_way_a_code_is_given() -> None:
    assert SAID.reasons["not_in_transfer_status"] == {"status"}
    assert SAID.reasons["fortnox_unit_missing"] >= {"system", "code", "words", "status", "unit"}
    assert SAID.reasons["token_refused"] >= {"system", "words"}
    assert SAID.reasons["other_record_blocked"] == {"kind", "why"}
    assert SAID.reasons["nothing_follows"] == set()
    assert SAID.sentences["linked_project"] == {"number", "name"}
    assert SAID.sentences["partly_paid"] == {"number", "currency", "paid", "remaining"}
    assert SAID.sentences["effect_sending"] == {"system", "action", "target"}
    assert {"retried_by_person", "event_heard", "created_invoice"} <= set(SAID.sentences)
    assert {"create_product", "move_invoice"} <= SAID.actions
    assert SAID.unread == []


def test_every_reason_the_program_gives_is_in_the_catalogue() -> None:
    assert set(SAID.reasons) - set(REASONS) == set()


def test_every_sentence_the_program_writes_is_in_the_catalogue() -> None:
    assert set(SAID.sentences) - set(SENTENCES) - set(REASONS) == set()


def test_nothing_is_in_the_catalogue_that_nobody_says() -> None:
    assert set(REASONS) - set(SAID.reasons) - set(SAID.sentences) == set()
    assert set(SENTENCES) - set(SAID.sentences) == set()


def test_no_code_stands_in_two_files() -> None:
    folder = files(catalogue)
    texts = [(folder / f"reasons_{area}.json").read_text("utf-8") for area in AREAS]
    codes = [code for text in texts for code in json.loads(text)]
    assert len(codes) == len(set(codes)) == len(REASONS)
    assert set(codes).isdisjoint(SENTENCES)


def test_every_file_of_texts_is_read() -> None:
    there = {path.name for path in Path(catalogue.__file__).parent.glob("*.json")}
    others = {"mails.json", "sentences.json", "words.json"}
    assert there == {*(f"reasons_{area}.json" for area in AREAS), *others}


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_is_whole_in_every_language(code: str) -> None:
    entry = REASONS[code]
    assert set(entry) - {"resumes"} == {"who", *LANGUAGES}
    assert entry["who"] in get_args(Who)
    assert entry.get("resumes", "retry") in WORDS["resumes"]
    for language in LANGUAGES:
        assert set(entry[language]) == {"message", "next_step"}
        assert entry[language]["message"]
        assert bool(entry[language]["next_step"]) == (entry["who"] != "nobody")


@pytest.mark.parametrize("code", sorted(WAITS_FOR))
def test_what_wakes_by_itself_is_said_to(code: str) -> None:
    assert REASONS[code]["resumes"] == "alone or retry"


@pytest.mark.parametrize("code", [*REASONS, *SENTENCES])
def test_all_languages_tell_the_same_facts(code: str) -> None:
    assert all(placeholders(code, one) == placeholders(code, "sv") for one in LANGUAGES)


@pytest.mark.parametrize("code", sorted({*SAID.reasons, *SAID.sentences}))
def test_a_text_asks_only_for_facts_that_are_given(code: str) -> None:
    given = SAID.reasons.get(code, set()) | SAID.sentences.get(code, set())
    assert placeholders(code, "sv") - given - WELCOME.get(code, set()) == set()


@pytest.mark.parametrize(
    ("code", "fact"), sorted((c, f) for c, names in WELCOME.items() for f in names)
)
def test_a_text_is_whole_without_a_welcome_fact(code: str, fact: str) -> None:
    texts = [text for one, _, text in every_text() if one == code]
    assert any(f"{{{fact}}}" in text for text in texts)
    assert not any(f"{{{fact}}}" in OPTIONAL.sub("", text) for text in texts)


# --- the words for our own words ---


@pytest.mark.parametrize("table", WORDS)
def test_a_word_is_there_in_both_languages(table: str) -> None:
    assert all(set(words) == set(LANGUAGES) and all(words.values()) for words in _of(table))


def test_everything_that_can_stand_in_a_fact_has_a_word() -> None:
    assert set(WORDS["who"]) == set(get_args(Who))
    assert set(WORDS["kind"]) == set(MAILS["kinds"]) == set(TRANSFERS)
    assert set(WORDS["setting"]) == set(Document(name="acme").missing())
    assert set(WORDS["action"]) == SAID.actions
    comparing = ("invoice_document.py", "invoice_update.py")
    compared = "".join((APP / "sync" / name).read_text("utf-8") for name in comparing)
    assert set(WORDS["field"]) == set(re.findall(r'\("([A-Z]\w+)", ', compared))


def _of(table: str) -> list[dict[str, Any]]:
    return list(WORDS[table].values())


# --- how the texts are written ---


def test_swedish_texts_have_swedish_quotation_marks() -> None:
    assert [
        text for _, spoken, text in every_text() if spoken == "sv" and re.search('["“]', text)
    ] == []


def test_english_texts_have_english_quotation_marks() -> None:
    texts = [text for _, spoken, text in every_text() if spoken == "en"]
    assert [text for text in texts if '"' in text or text.count("“") != text.count("”")] == []


def test_what_is_mailed_never_asks_for_a_login() -> None:
    """False mails do. What a person reads who is giving a consent is on a page, and may."""
    told = [text for code, _, text in every_text() if not code.startswith("consent_")]
    asking = r"logga in|log in\b|lösenord|password"
    assert [text for text in told if re.search(asking, text, re.I)] == []


def test_no_text_speaks_of_machinery() -> None:
    machinery = r"HTTP|payload|JSON|\bAPI-|timeout|exception|token|null|GUID|!|\b[45]\d\d\b"
    assert [text for _, _, text in every_text() if re.search(machinery, text, re.I)] == []


def test_every_sentence_ends() -> None:
    texts = [
        entry[language][part]
        for entry in REASONS.values()
        for language in LANGUAGES
        for part in ("message", "next_step")
    ]
    texts += [texts[language] for texts in SENTENCES.values() for language in LANGUAGES]
    unended = [
        text
        for text in texts
        if text and not re.search(r"[.”“]\]?$|: \{cause\}\]$|\{why\}\]$", text)
    ]
    assert unended == []


# --- how they are filled in ---


@pytest.mark.parametrize("code", [*REASONS, *SENTENCES, "unheard_of"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_fact_never_stops_a_text(code: str, language: Language) -> None:
    for facts in ({}, {"why": code, "cause": code, "kind": "", "field": "?"}, {"number": "{x}[y]"}):
        told = explain(Reason(code, facts), language)
        assert told.message
        assert told.who in [words[language] for words in _of("who")]
        assert sentence(code, facts, language)


def test_a_reason_says_who_can_mend_it_and_how() -> None:
    reason = because("customer_vat_missing", customer="Åkeriet Öst AB")
    swedish, english = explain(reason, "sv"), explain(reason, "en")
    assert swedish.message == "Kunden ”Åkeriet Öst AB” saknar momsregistreringsnummer i Severa."
    assert swedish.who == "projektledaren"
    assert swedish.next_step == (
        "Ange kundens momsregistreringsnummer i Severa. Överföringen fortsätter sedan av sig själv."
    )
    assert english.message == "The customer “Åkeriet Öst AB” has no VAT number in Severa."
    assert (english.who, english.code) == ("project lead", "customer_vat_missing")


def test_what_waits_says_that_it_is_tried_again_by_itself() -> None:
    told = explain(because("vendor_silent", system="fortnox", words="", code=""), "sv")
    assert told.message == "Fortnox svarar inte som väntat. Ett nytt försök görs av sig självt."
    assert (told.who, told.next_step) == ("ingen", "")


def test_an_unknown_refusal_shows_the_vendors_own_words_and_code() -> None:
    facts = {"system": "fortnox", "code": "2009999", "words": "Ogiltig rabatt."}
    told = explain(because("vendor_refused", **facts, status=400), "sv")
    assert told.message == (
        "Fortnox tog inte emot uppgifterna. Svaret var: ”Ogiltig rabatt.” Felkod: 2009999."
    )


def test_a_refusal_without_words_is_told_without_quotation_marks() -> None:
    told = explain(because("vendor_refused", system="severa", code="", words=""), "en")
    assert told.message == "Severa did not accept the details."


def test_what_another_record_lacks_is_told_of_the_one_that_needs_it() -> None:
    reason = because(
        "other_record_blocked", kind="customer", why="customer_vat_missing", customer="Acme"
    )
    told = explain(reason, "sv")
    assert told.message == (
        "Överföringen väntar på kunden, som inte kan överföras. "
        "Kunden ”Acme” saknar momsregistreringsnummer i Severa."
    )
    assert told.who == "projektledaren"
    assert told.next_step.startswith("Ange kundens momsregistreringsnummer i Severa.")


def test_another_record_without_a_known_reason_is_looked_up_in_the_log() -> None:
    told = explain(because("other_record_blocked", kind="product", why=""), "en")
    assert told.message == "The transfer waits for the product, which cannot be transferred."
    assert told.next_step.startswith("Find the product in the transfer log")


def test_a_record_that_needs_nobody_yet_holds_another_one_up_is_for_its_project_lead() -> None:
    reason = because("other_record_blocked", kind="project", why="severa_record_gone")
    told = explain(reason, "sv")
    assert "I Severa finns projektet inte längre." in told.message
    assert told.who == "projektledaren"
    assert told.next_step


def test_a_chain_of_held_up_records_tells_the_last_one() -> None:
    facts = {"kind": "product", "why": "fortnox_unit_missing", "cause": "other_record_waiting"}
    told = explain(Reason("gave_up", facts | {"words": "Kan inte hitta enheten."}), "sv")
    assert told.message.endswith(
        "Senaste orsak: Överföringen väntar på produkten, som inte är klar ännu. "
        "Enheten finns inte i Fortnox. Fortnox svarade: ”Kan inte hitta enheten.”"
    )


def test_a_fact_that_a_text_does_not_tell_changes_nothing() -> None:
    plain, odd = (
        Reason("not_paid_yet", {"number": "7"} | more) for more in ({}, {"why": "gave_up"})
    )
    assert explain(plain, "sv") == explain(odd, "sv")


def test_giving_up_tells_the_cause_but_promises_nothing() -> None:
    told = explain(because("gave_up", cause="vendor_silent", system="severa"), "sv")
    assert told.message.endswith("Senaste orsak: Severa svarar inte som väntat.")
    assert "av sig själv" not in told.message + told.next_step
    assert told.who == "administratören"


def test_an_unknown_code_shows_its_facts() -> None:
    assert explain(because("unheard_of", number=7), "sv").message == "unheard_of: number 7"
    assert sentence("unheard_of", {"number": "7"}, "en") == "unheard_of: number 7"


def test_amounts_are_written_as_in_the_language_asked() -> None:
    facts = {"number": "17", "currency": "SEK", "paid": "1234.5", "remaining": "-1000000"}
    assert "1\u00a0234,50 SEK är betalt, -1\u00a0000\u00a0000,00" in sentence(
        "partly_paid", facts, "sv"
    )
    assert "1,234.50 SEK paid, -1,000,000.00 SEK" in sentence("partly_paid", facts, "en")


@pytest.mark.parametrize(
    ("field", "asked", "shown"),
    [
        ("TotalVAT", "250", "moms skulle vara 250,00"),
        ("CurrencyRate", "11.2345", "valutakurs skulle vara 11,2345"),
        ("InvoiceRows", "3", "antal rader skulle vara 3 men"),
        ("CustomerNumber", "1001", "kundnummer skulle vara 1001 men"),
        ("Currency", "EUR", "valuta skulle vara EUR men"),
    ],
)
def test_a_difference_is_told_in_the_words_of_an_invoice(
    field: str, asked: str, shown: str
) -> None:
    reason = because("read_back_differs", number=1, field=field, asked=asked, got="0")
    assert shown in explain(reason, "sv").message


def test_a_warning_is_told_in_the_log_with_what_to_do() -> None:
    facts = {"row": "2", "codes": "100, 200", "number": "100"}
    assert sentence("codes_not_split", facts, "sv") == (
        "Fakturarad 2 rymmer flera koder (100, 200) och kunde inte delas upp. "
        "Hela raden har fått artikel 100. Kontrollera artikeln på raden i Fortnox."
    )


# --- which language ---


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "sv"),
        ("sv", "sv"),
        ("en", "en"),
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("en-GB,en;q=0.9,sv;q=0.8", "en"),
        ("EN-us", "en"),
        ("fi,de;q=0.9", "sv"),
        ("fi,en;q=0.1", "en"),
        ("sv;q=0,en;q=0.5", "en"),
        ("sv;q=0.2, en; q=0.7", "en"),
        ("en;q=0.7,sv;q=0.7", "en"),
        ("*", "sv"),
        ("sv;q=much,en;q=0.1", "en"),
        ("sv;level=1;q=0.1,en;q=0.2", "en"),
        (",;,q=1", "sv"),
        ("en;q=nan", "sv"),
    ],
)
def test_the_first_of_our_languages_is_spoken(header: str, language: Language) -> None:
    assert language_of(header, "sv") == language


def test_without_a_language_of_ours_the_connections_own_is_spoken() -> None:
    assert language_of("tlh,la", "en") == "en"
