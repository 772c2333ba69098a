"""Trees of blocks as text."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import TLObject, types

from bot.telegram.richmessage import Hidden, flattened
from tests.telegram.wire import DATE, wired

NO_CAPTION = types.PageCaption(types.TextEmpty(), types.TextEmpty())


def plain(text: str) -> Any:
    return types.TextPlain(text)


def paragraph(text: str) -> Any:
    return types.PageBlockParagraph(plain(text))


def flat(*blocks: Any) -> str:
    return flattened(wired(types.RichMessage(list(blocks), [], [])).blocks).text


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ([], ""),
        ([paragraph("а"), types.PageBlockDivider(), paragraph("б")], "а\n\nб"),
        ([types.PageBlockHeading1(plain("а")), paragraph("")], "а"),
        (
            [
                types.PageBlockParagraph(
                    types.TextConcat(
                        [
                            plain("а"),
                            types.TextBold(types.TextSpoiler(plain("б"))),
                            types.TextCustomEmoji(5, "😀"),
                            types.TextMath("E=mc^2"),
                            types.TextImage(5, 1, 1),
                            types.TextMentionName(plain("в"), 5),
                        ]
                    )
                )
            ],
            "аб😀E=mc^2в",
        ),
        ([types.PageBlockParagraph(types.TextDiff(plain("стало"), plain("было")))], "стало"),
        (
            [
                types.PageBlockList(
                    [types.PageListItemText(plain("а")), types.PageListItemBlocks([paragraph("б"), paragraph("в")])]
                ),
                types.PageBlockOrderedList([types.PageListOrderedItemText(plain("г"), num="1")]),
            ],
            "а\nб\nв\n\nг",
        ),
        (
            [
                types.PageBlockTable(
                    plain("Таблица"),
                    [
                        types.PageTableRow(
                            [types.PageTableCell(text=plain("а")), types.PageTableCell(text=plain("б"))]
                        ),
                        types.PageTableRow([types.PageTableCell(), types.PageTableCell(text=plain("в"))]),
                    ],
                )
            ],
            "Таблица\nа\tб\nв",
        ),
        ([types.PageBlockDetails([paragraph("внутри")], plain("Сверху"))], "Сверху\nвнутри"),
        ([types.PageBlockBlockquote(plain("цитата"), plain("автор"))], "цитата\nавтор"),
        ([types.PageBlockPhoto(5, types.PageCaption(plain("подпись"), plain("автор")))], "подпись\nавтор"),
        ([types.PageBlockPreformatted(plain("код"), "python")], "код"),
        ([types.PageBlockEmbed(NO_CAPTION, html="<b>разметка</b>"), paragraph("а")], "а"),
        ([types.PageBlockEmbedPost("", 0, 0, "Автор", DATE, [paragraph("а")], NO_CAPTION)], "Автор\nа"),
        ([types.PageBlockCollage([types.PageBlockPhoto(5, NO_CAPTION), paragraph("а")], NO_CAPTION)], "а"),
        ([types.PageBlockUnsupported(), paragraph("а")], "а"),
        ([types.PageBlockMath("E=mc^2")], "E=mc^2"),
    ],
)
def test_blocks_are_read_as_lines(blocks: list[Any], text: str) -> None:
    assert flat(*blocks) == text


def test_hidden_links_stand_where_their_words_do_in_utf16_units() -> None:
    linked = types.TextUrl(types.TextConcat([plain("сл"), types.TextBold(plain("ово"))]), "https://a.example", 0)
    photo = types.PageBlockPhoto(5, types.PageCaption(plain("вид"), types.TextEmpty()), url="https://b.example")
    found = flattened([paragraph("😀"), types.PageBlockParagraph(linked), photo, types.PageBlockDivider()])
    assert found.text == "😀\n\nслово\n\nвид"
    assert found.links == (Hidden(4, 5, "https://a.example"), Hidden(11, 3, "https://b.example"))


def test_a_related_article_is_its_words_and_its_link() -> None:
    article = types.PageRelatedArticle("https://a.example", 0, title="Сирия", description="Итоги", author="Автор")
    found = flattened([types.PageBlockRelatedArticles(plain("Ещё"), [article])])
    assert found.text == "Ещё\nСирия\nИтоги\nАвтор"
    assert found.links == (Hidden(4, 17, "https://a.example"),)


def test_a_block_of_a_later_layer_is_read_all_the_same() -> None:
    class PageBlockFuture(TLObject):  # type: ignore[misc]
        def __init__(self) -> None:
            self.weight = 5
            self.text = plain("новое")
            self.notes = [paragraph("внутри")]

    assert flattened([PageBlockFuture()]).text == "новое\nвнутри"
