"""Russian: pymorphy3's OpenCorpora dictionary, and endings for names that are not in it."""

from __future__ import annotations

from collections.abc import Iterable

from bot.text.morphology.language import Reading
from bot.text.morphology.slavic import Slavic, endings

_ENDINGS = endings("""
[бвгджзйклмнпрстфхцчшщ] 0  а у ом ем е
[бвгджзклмнпрстфхцчшщ]  0  ы и ов ев ей ам ами ах
(?:ов|ев|ин|ын)         0  ым а ой ою у ы ых ыми
(?:ск|цк)ий             2  ого ому им ом ая ой ую ою ое ие их ими
[кгх]ий                 2  ого ому им ом ая ой ую ою ое ие их ими
[^кгх]ий                2  ия ию ием ии ие иев иям иями иях его ему им ем яя ей юю ее ие их ими
[ыо]й                   2  ого ому ым ом ая ой ую ою ое ые ых ыми
[аеоуыэюя]й             1  я ю ем е и ев ям ями ях
ь                       1  я ю ем е и ей ям ями ях ью
(?:ец|ёц)               2  ца цу цем цом це цы цев цов цам цами цах
[аеоуыия]ец             2  йца йцу йцем йце йцы йцев йцам йцами йцах
(?:ок|ек)               2  ка ку ком ке ки ков кам ками ках
(?:[нл]ек|ёк)           2  ька ьку ьком ьке ьки ьков
(?:ень|оть|оль)         3  ня ню нем не ни ней
(?:ел|ол)               2  ла лу лом ле лы лов
[^аеоуыия]а             1  ы и е у ой ою ей ею ам ами ах 0
[аеоуыия]а              1  и е у ой ей
ия                      1  и ю ей ею й ям ями ях
[^и]я                   1  и е ю ей ею ям ями ях ь й
ая                      2  ой ую ою ого ому ым ом ые ых ыми
яя                      2  ей юю ею его ему им ем ие их ими
ое                      2  ого ому ым им ом
ее                      2  его ему им ем
(?:ов|ев|ин|ын)о        1  а у ом е
[^аеоуыэюя]о            1  а у ом е
[ь]е                    1  я ю ем и
ие                      1  я ю ем и
ы                       1  0 ов ам ами ах
и                       1  0 ов ев ей ям ями ях ам ами ах
(?:ов|ев|ин|ын)ы        1  ых ым ыми
""")

_STEMS = endings("""
[бвгджзклмнпрстфхцчшщ]  0  0
[аяоеьй]                1  0
ия                      2  0
[аеиоу]й                1  0
г                       1  ж
к                       1  ч 0
х                       1  ш
га                      2  ж
ка                      2  ч
ха                      2  ш
гия                     3  ж
кия                     3  ч
ц                       0  0
ция                     3  ец ч
[лн]ь                   0  0
""")

_DERIVATIONS = tuple(
    """
    ский йский ьский цкий нский овский евский анский янский инский енский ический еский кий
    ный нный овый евый иный анный яный ений
    ец иец овец анец енец инец анин янин чанин итянин тянин ич ист ник овник чик щик ик ин тель
    ка йка анка янка чанка инка итянка тянка ница ость ство изм щина
    ировать ироваться овать оваться
    """.split()
)


class Russian(Slavic):
    name = "Russian"
    code = "ru"
    package = "pip install pymorphy3-dicts-ru"
    own = frozenset("ыэъё")
    foreign = frozenset("іїєґ'")
    endings = _ENDINGS
    stems = _STEMS
    derivations = _DERIVATIONS

    def known(self, word: str, key: str) -> Iterable[Reading]:
        for reading in super().known(word, key):
            yield Reading(reading.language, reading.lemma, reading.how, reading.forms | _also(reading.forms))


def _also(forms: Iterable[str]) -> set[str]:
    """Forms that the dictionary leaves out: сирийско- of «сирийско-турецкий», and -ся after a vowel (собиралися)."""
    joined = {f[:-2] + "о" for f in forms if f.endswith(("ский", "цкий"))}
    return joined | {f[:-2] + "ся" for f in forms if f.endswith("сь")}
