"""Ukrainian: the extra ``uk``, a pymorphy3 dictionary, and endings for names that are not in it.

The dictionary declares the GPL, so it is never installed by default.
"""

from __future__ import annotations

from bot.text.morphology.slavic import Slavic, endings

_ENDINGS = endings("""
[бвгґджзклмнпрстфхцчшщ] 0  а у ові ом ем еві і е и ів ам ами ах
(?:ськ|цьк|зьк)ий       2  ого ому им ім а ої ій у ою е і их ими
[^к]ий                  2  ого ому им ім а ої ій у ою е і их ими
ій                      2  ього ьому ім я ьої ю ьою є і іх іми
й                       1  я ю єві єм ї є їв ям ями ях
ь                       1  я ю еві ем і е ів ей ям ями ях ю
ець                     3  ця цю цеві цем ці це ців цям цями цях
[аеіоуия]єць            3  йця йцю йцеві йцем йці йців йцям йцями
(?:ок|ек)               2  ка ку кові ком ці ки ків кам ками ках
[^аеоуиія]а             1  и і у ою о е ею 0 ам ами ах
га                      2  зі
ка                      2  ці
ха                      2  сі
ія                      1  ї ю єю є й ям ями ях
[^і]я                   1  і ї ю ею єю е ь ям ями ях
о                       1  а у ом ові і
е                       1  я ю ем і а у
ів                      2  ова ову овим овом ові овою ової ових
їв                      2  єва єву євим євом єві
(?:ов|ев|єв|ин|їн)      0  им а ої ій у ою их ими
(?:ськ|цьк|зьк)а        1  ої ій у ою
(?:ов|ев|єв|ин|ін|їн)а  1  ої ій у ою
ін                      0  им
и                       1  0 ів ам ами ах
і                       1  ів їв ей ям ями ях ам ами ах
""")

_STEMS = endings("""
[бвгґджзклмнпрстфхцчшщ] 0  0
[аяоеьйі]               1  0
ія                      2  0
[гз]                    1  зь
к                       1  ць 0
[гз]а                   2  з
ка                      2  ц
""")

_DERIVATIONS = tuple(
    """
    ський йський ський ійський цький зький нський івський ївський анський янський инський енський ичний ічний
    ний нний овий евий єць ієць ець івець овець анець енець анин янин чанин ич іст ист ник чик щик ик
    ка йка ійка анка янка чанка ниця ість ство ізм щина увати юватися уватися
    """.split()
)

#: Verbs: endings from which the verbal adverb is made, which the dictionary keeps as a word of its own.
_ADVERBS = (("уть", "учи"), ("ють", "ючи"), ("ать", "ачи"), ("ять", "ячи"), ("в", "вши"), ("г", "гши"), ("к", "кши"))


class Ukrainian(Slavic):
    name = "Ukrainian"
    code = "uk"
    package = "install the extra uk, or: pip install pymorphy3-dicts-uk"
    own = frozenset("іїєґ'")
    foreign = frozenset("ыэъё")
    endings = _ENDINGS
    stems = _STEMS
    derivations = _DERIVATIONS
    ethnic = ("ський", "цький", "ець", "ка", "анка")

    def left_out(self, forms: set[str]) -> set[str]:
        """Verbal adverbs, and сирійсько- of «сирійсько-турецький»."""
        return _verbal_adverbs(forms) | {f[:-2] + "о" for f in forms if f.endswith("ий")}


def _verbal_adverbs(forms: set[str]) -> set[str]:
    """враховувати -> враховуючи, враховувавши; казати -> кажучи, казавши."""
    if not any(f.endswith(("ти", "тися")) for f in forms) or not any(f.endswith(("ть", "ться")) for f in forms):
        return set()
    return {
        form.removesuffix(end + tail) + adverb + ("сь" if tail else "")
        for tail in ("", "ся")
        for end, adverb in _ADVERBS
        for form in forms
        if form.endswith(end + tail)
    }
