"""Russian keywords: every form of the word that was meant, and of no other."""

from __future__ import annotations

import pytest

from bot.text.morphology.language import How
from bot.text.morphology.languages import Morphology
from bot.text.morphology.russian import Russian

# Keyword: forms that it finds, words that it does not.
TRAPS = {
    "база": (
        "база базы базе базу базой базою баз базам базами базах",
        "базар базары базис базису базилик базальт базель базовый базировать авиабаза авиабазы турбаза забазировать",
    ),
    "порт": ("порта порту портом порты портов", "портить спорт аэропорт портал портной паспорт транспорт портрет"),
    "мир": ("мира миром миру мире миры", "мирный мировой мирить ширмир владимир программирование эмир"),
    "асад": (
        "асад асада асаду асадом асаде",
        "осада фасад фасада засада засаду досада рассада асади алмасадам масады пасадене",
    ),
    "иран": ("ирана ирану ираном иране", "тиран ираноязычный иранский иранских аспирант вымирание"),
    "бой": ("боя бои боем бою боев боях", "бойкот любой судьбой боец бойня собой сбой дальнобойных"),
    "сирия": (
        "сирия сирии сирию сирией",
        "сирийский сирийской сирийцы ассирия сириец сириус сириуса сириусе сирикит сири сирин сирость сирый",
    ),
    "танк": ("танка танку танки танков танком танке", "танкер танкетка танкист"),
    "газ": ("газа газом газу газы", "газета магазин газель глаз"),
    "сша": ("сша", "сшант"),
    "дон": ("дона дону доном", "донецк донбасс донос"),
    "путин": ("путина путину путиным путине", "путинский распутин путь"),
    "дамаск": ("дамаск дамаска дамаску дамаском дамаске", "дамасский дама маска"),
    "тартус": ("тартус тартуса тартусе", "тарту"),
    "цель": ("цели целью целям", "целый целом целых"),
    "груз": ("груза грузы грузов", "грузия грузии грузинский"),
    "сталь": ("стали сталью сталей", "стать стал станет"),
    "военный": ("военного военная военной военных военными", "война воевать военнослужащий"),
    "вылететь": ("вылетел вылетела вылетят вылетев вылетевший", "вылет вылетать"),
    "россия": ("россии россию россией", "российский россиян"),
}

# Singular forms of names that are not in the dictionary, and the plural of peoples.
UNKNOWN = {
    "хмеймим": "хмеймима хмеймиму хмеймимом хмеймиме",
    "идлиб": "идлиба идлибу идлибом идлибе",
    "хезболла": "хезболлы хезболле хезболлу хезболлой",
    "манбидж": "манбиджа манбиджу манбиджем манбидже",
    "африн": "африна африну африном африне",
    "сувейда": "сувейды сувейде сувейду сувейдой",
    "ракка": "ракки ракке ракку раккой",
    "насралла": "насраллы насралле насраллу насраллой",
    "джулани": "джулани",
    "джолани": "джолани",
    "сырский": "сырского сырскому сырским сырском",
    "залужный": "залужного залужному залужным залужном",
    "даишевец": "даишевца даишевцу даишевцем даишевце даишевцы даишевцев даишевцам даишевцами даишевцах",
    "эрбиль": "эрбиля эрбилю эрбилем эрбиле",
    "пезешкиан": "пезешкиана пезешкиану пезешкианом пезешкиане",
    "хусит": "хусита хуситу хуситом хусите хуситы хуситов хуситам хуситами хуситах",
    "алавит": "алавита алавиту алавитом алавите алавиты алавитов алавитам алавитами алавитах",
    "синвар": "синвара синвару синваром синваре",
    "хафтар": "хафтара хафтару хафтаром хафтаре",
    "газиантеп": "газиантепа газиантепу газиантепом газиантепе",
    "мисрата": "мисраты мисрате мисрату мисратой",
    "сирт": "сирта сирту сиртом сирте",
    "хания": "хании ханию ханией",
    "сейднайя": "сейднайи сейднайе сейднайю сейднайей",
    "кобани": "кобани",
    "хаменеи": "хаменеи",
    "шараа": "шараа",
    "даръа": "даръа",
}

FAMILIES = {
    "сирия": ("сирийский сирийской сириец сирийцы сирийцев сирийка", "сириус сирин сирость сирый сири ассирия"),
    "иран": ("иранский иранцев иранка", "тиран иранить"),
    "россия": ("российский россиянин россияне россиянка", "россомаха рост"),
    "дамаск": ("дамасский дамасского", "дама маска"),
    "германия": ("германский германца", "герман германн"),
    "норвегия": ("норвежский норвежца норвежка", "норка"),
    "турция": ("турецкий турецкого турчанка", "тур турист турник туризм"),
    "греция": ("греческий греческого гречанка", "гречка грех грек"),
    "ливия": ("ливийский ливийца", "ливень ливер ливан"),
    "прага": ("пражский пражанка", "праща"),
    "волга": ("волжский", "волк вольный"),
}


def _found(morphology: Morphology, keyword: str, words: str) -> set[str]:
    return set(words.split()) & morphology.inflect(keyword).forms


@pytest.mark.parametrize("keyword", TRAPS)
def test_a_word_finds_all_its_forms(without_ukrainian: Morphology, keyword: str) -> None:
    forms, _ = TRAPS[keyword]
    assert _found(without_ukrainian, keyword, forms) == set(forms.split())


@pytest.mark.parametrize("keyword", TRAPS)
def test_a_word_finds_no_false_friend(without_ukrainian: Morphology, keyword: str) -> None:
    _, others = TRAPS[keyword]
    assert not _found(without_ukrainian, keyword, others)


@pytest.mark.parametrize("keyword", TRAPS)
def test_the_ukrainian_dictionary_adds_no_false_friend(with_ukrainian: Morphology, keyword: str) -> None:
    forms, others = TRAPS[keyword]
    assert _found(with_ukrainian, keyword, forms) == set(forms.split())
    assert not _found(with_ukrainian, keyword, others)


@pytest.mark.parametrize("keyword", UNKNOWN)
def test_a_name_that_is_in_no_dictionary_gets_the_endings_of_its_kind(
    without_ukrainian: Morphology, keyword: str
) -> None:
    expected = {keyword, *UNKNOWN[keyword].split()}
    readings = without_ukrainian.inflect(keyword).readings
    assert [r.how for r in readings] == [How.PREDICTED]
    assert expected <= readings[0].forms


@pytest.mark.parametrize("keyword", UNKNOWN)
def test_an_unknown_name_gets_no_form_of_a_verb(without_ukrainian: Morphology, keyword: str) -> None:
    """The dictionary predicts verbs behind nearly everything; those forms end like these."""
    forms = without_ukrainian.inflect(keyword).forms
    assert not [form for form in forms if form.endswith(("ть", "ться", "ешь", "ишь", "вший", "вшая", "ющий"))]


def test_an_unknown_name_does_not_find_a_shorter_word(without_ukrainian: Morphology) -> None:
    assert not _found(without_ukrainian, "Хания", "хан хана хану")


@pytest.mark.parametrize(
    ("typed", "lemma", "form"),
    [
        ("базы", "база", "базами"),
        ("Сирии", "сирия", "сирией"),
        ("сирийцев", "сириец", "сириец"),
        ("порта", "порт", "портов"),
        ("военной", "военный", "военного"),
        ("улетели", "улететь", "улетит"),
    ],
)
def test_a_typed_form_means_its_lemma(without_ukrainian: Morphology, typed: str, lemma: str, form: str) -> None:
    readings = without_ukrainian.inflect(typed).readings
    assert [(r.lemma, r.how) for r in readings] == [(lemma, How.TYPED_FORM)]
    assert {typed.lower(), lemma, form} <= readings[0].forms


@pytest.mark.parametrize(
    ("surname", "others"),
    [
        ("Морозов", "мороз мороза морозы морозами"),
        ("Алексеев", "алексей алексея алексеем"),
        ("Николаев", "николай николая николаю"),
        ("велик", "великий великая больше"),
    ],
)
def test_a_lemma_does_not_stand_for_the_word_that_it_is_a_form_of(russian: Russian, surname: str, others: str) -> None:
    key = surname.lower()
    forms = {form for reading in russian.known(surname, key) for form in reading.forms}
    assert key in forms
    assert not forms & set(others.split())


def test_a_superlative_does_not_stand_for_its_positive(russian: Russian) -> None:
    forms = {form for reading in russian.known("лучший", "лучший") for form in reading.forms}
    assert "лучшего" in forms
    assert not forms & {"хороший", "хорошего", "хорош"}


@pytest.mark.parametrize("typed", ["Алёна", "Алена", "АЛЁНА"])
def test_yo_and_ye_mean_the_same_keyword(without_ukrainian: Morphology, typed: str) -> None:
    assert {"алена", "алены", "алене", "алену", "аленой"} <= without_ukrainian.inflect(typed).forms


@pytest.mark.parametrize(
    ("keyword", "form"),
    [("сирийский", "сирийско"), ("турецкий", "турецко"), ("собираться", "собиралися"), ("собираться", "собиралась")],
)
def test_forms_that_the_dictionary_leaves_out_are_added(without_ukrainian: Morphology, keyword: str, form: str) -> None:
    """The first part of «сирийско-турецкий», and the old -ся after a vowel."""
    assert form in without_ukrainian.inflect(keyword).forms


@pytest.mark.parametrize("keyword", FAMILIES)
def test_a_family_holds_the_derived_words(without_ukrainian: Morphology, keyword: str) -> None:
    derived, _ = FAMILIES[keyword]
    family = without_ukrainian.family(keyword).forms
    assert set(derived.split()) <= family
    assert without_ukrainian.inflect(keyword).forms <= family


@pytest.mark.parametrize("keyword", FAMILIES)
def test_a_family_holds_no_stranger(without_ukrainian: Morphology, keyword: str) -> None:
    _, strangers = FAMILIES[keyword]
    assert not set(strangers.split()) & without_ukrainian.family(keyword).forms


@pytest.mark.parametrize("derived", ["сирийский", "сириец", "сирийка", "сирийцы"])
def test_a_derived_word_leads_back_to_its_root(without_ukrainian: Morphology, derived: str) -> None:
    assert {"сирия", "сирии", "сирийского", "сириец", "сирийка"} <= without_ukrainian.family(derived).forms


def test_a_word_without_a_family_says_so(without_ukrainian: Morphology) -> None:
    found = without_ukrainian.family("Хмеймим")
    assert found.forms == without_ukrainian.inflect("Хмеймим").forms
    assert found.notes == ("no words derived from «Хмеймим» are known",)


@pytest.mark.parametrize(
    ("key", "claimed"),
    [("сирия", True), ("съезд", True), ("сирія", False), ("київ", False), ("д'артаньян", True), ("syria", False)],
)
def test_russian_claims_words_in_its_own_letters(russian: Russian, key: str, claimed: bool) -> None:  # noqa: FBT001 – a table's column
    assert russian.claims(key) is claimed
