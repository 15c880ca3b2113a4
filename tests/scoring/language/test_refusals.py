"""Refusals in many words and languages, and answers that begin like one."""

from itertools import product
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.scoring.language.refusals import ABSTENTION, is_agreed_abstention, is_refusal, without_refusal

REFUSALS = {
    "english": [
        "I don't know.", "I don\N{RIGHT SINGLE QUOTATION MARK}t know", "i do not know the answer",
        "I really don't know.",
        "I honestly have no idea.", "No idea.", "No idea, sorry.", "I'm not sure.", "I am not sure about that",
        "Not sure",
        "I'm unsure", "I'm not certain which of the two it is.", "Unknown.", "Unclear", "N/A", "n/a.",
        "Not applicable",
        "No answer.", "No information.", "Not enough information.", "Insufficient information", "Unanswerable",
        "Not specified", "Not stated in the passages", "Not mentioned in the text.", "It isn't specified",
        "It is not known.", "It is unclear who built the pier.", "The year is unknown.",
        "There is no information on parking.", "There is not enough information in the context to answer.",
        "There is no mention of a ferry in the passages.", "There's nothing about that in the documents.",
        "The passages do not say when.", "The passages don't say.",
        "The text does not mention the colour of the rope.",
        "The passage doesn\N{RIGHT SINGLE QUOTATION MARK}t mention it",
        "The provided documents contain no such figure.",
        "None of the passages mention the harbour master.", "Nothing in the documents tells how deep it is.",
        "The documents describe the crane, but they do not mention its owner.",
        "While the passages discuss the crane, they do not mention its owner.",
        "The passages only describe the crane. They do not mention its owner.",
        "The owner of the crane is not mentioned in the given passages.",
        "The owner of the crane cannot be determined from the text.", "It is not possible to tell from the passages.",
        "I cannot answer this question with the information I was given.", "I can't tell you that.", "I cannot say.",
        "I'm afraid I can't help with that.", "I'm sorry, but I can't assist with that request.",
        "I could not find any information about the owner.",
        "I couldn't find the date. Please ask the harbour office.",
        "I was unable to find the answer in the documents you provided.", "I have no information about this.",
        "I don't have access to the timetable. You can check it on the website of the ferry.",
        "I'm just an AI, so I cannot open the door.", "As an AI language model, I have no opinion.",
        "As a language model, I don't have access to real-time data. Is there anything else I can help you with?",
        "Unfortunately, I do not have enough context. Could you tell me which ship you mean?",
        "I apologize, but I cannot provide that. If you give me more details, I will be happy to help.",
        "Sorry, the answer is not in the documents.", "The answer is not mentioned.", "Answer: unknown",
        "Based on the passages, I cannot determine the length of the quay.", "I would rather not say.",
        "I can only tell you that I don't have that information.",
        "I apologize, as an AI language model, I have no access to it. Please contact the port.", "Nobody knows.",
        "I must decline to answer.", "**I don't know.**", '"I don\'t know."', "I DON'T KNOW",
        "> Unknown",
        "I don't know. [2]", "Without more information, it is impossible to say.", "idk", "Can't say.",
        "I don't know who wrote \"Slow but Sure: A Life\".", "Hmm, I don't recall.", "We do not know.",
    ],
    "german": [
        "Das weiß ich nicht.", "Ich weiß es nicht.", "Keine Ahnung.", "Ich habe leider keine Ahnung.",
        "Leider enthalten die Dokumente keine Angaben dazu.", "Dazu liegen mir keine Informationen vor.",
        "Tut mir leid, das kann ich nicht beantworten.",
        "Es tut mir leid, aber ich kann diese Frage nicht beantworten.",
        "Die Farbe des Krans wird im Text nicht erwähnt.", "Im Text steht nichts dazu.", "Nicht angegeben",
        "Aus den Textstellen geht das nicht hervor.", "In den Unterlagen gibt es keine Information darüber.",
        "Ich weiß nicht, welche Farbe der Kran hat.", "Dazu kann ich nichts sagen.", "Unbekannt.", "Keine Angabe",
        "Als KI-Sprachmodell habe ich keinen Zugriff auf aktuelle Daten. Bitte wenden Sie sich an das Hafenamt.",
        "Das geht aus dem Text nicht hervor.", "Der Besitzer ist nicht bekannt.", "Ich bin mir nicht sicher.",
    ],
    "french": [
        "Je ne sais pas.", "Je n'en sais rien.", "Aucune idée.", "Désolé, je ne sais pas.", "Inconnu",
        "Je suis désolé, mais je ne peux pas répondre à cette question.", "Je n'ai pas cette information.",
        "Malheureusement, les documents ne mentionnent pas la couleur.", "Le texte ne le précise pas.",
        "Il n'y a pas d'information à ce sujet.", "La couleur n'est pas mentionnée dans le texte.", "Non précisé.",
        "D'après les documents fournis, il n'est pas possible de répondre.", "Je l'ignore.",
        "Impossible de répondre.",
        "En tant que modèle de langage, je n'ai pas accès à ces données. Veuillez consulter le site du port.",
    ],
    "spanish": [
        "No lo sé.", "No sé.", "Ni idea.", "Lo siento, no lo sé.", "Lo siento, pero no tengo esa información.",
        "No tengo información sobre eso.", "Los documentos no mencionan el color.", "El texto no lo especifica.",
        "No se menciona en el texto.", "No puedo responder a esa pregunta.", "Desconocido", "Lo desconozco.",
        "No hay información suficiente para responder.", "Según los documentos, no se especifica el color.",
        "Lamentablemente, no encontré esa información. Consulte la página del puerto.", "Sin información",
    ],
    "italian": [
        "Non lo so.", "Non ne ho idea.", "Mi dispiace, non lo so.", "Mi dispiace, ma non posso rispondere.",
        "I documenti non menzionano il colore.", "Il testo non lo specifica.",
        "Non ci sono informazioni al riguardo.",
        "Purtroppo non ho trovato questa informazione.", "Il colore non è menzionato nel testo.", "Sconosciuto",
        "Non è specificato.", "Nei documenti non ci sono informazioni.", "Nessuna informazione.",
    ],
    "portuguese": [
        "Não sei.", "Eu não sei.", "Desculpe, não sei.", "Não tenho essa informação.", "Não faço ideia.",
        "Infelizmente, os documentos não mencionam a cor.", "O texto não especifica.", "Desconhecido",
        "Não há informações suficientes para responder.", "A cor não é mencionada no texto.",
        "Não encontrei a resposta.",
        "Sinto muito, mas não posso responder a essa pergunta.", "Não consta.",
    ],
    "dutch": [
        "Ik weet het niet.", "Dat weet ik niet.", "Geen idee.", "Sorry, dat weet ik niet.", "Onbekend",
        "De documenten vermelden de kleur niet.", "Het spijt me, maar ik kan deze vraag niet beantwoorden.",
        "Er is geen informatie over de kleur.", "De kleur wordt niet vermeld in de tekst.", "Niet vermeld.",
        "Ik heb helaas geen informatie hierover. Neem contact op met het havenkantoor.",
    ],
    "chinese": [
        "我不知道。", "不知道", "抱歉，我不知道。", "对不起，我无法回答这个问题。", "文中没有提到桅杆的颜色。",
        "根据提供的文档，没有关于此的信息。", "文档中未提及。", "没有足够的信息来回答这个问题。", "无法确定。",
        "不详",
        "很抱歉，我没有找到相关信息。请联系港务局。", "我不清楚起重机是什么颜色。", "資料中沒有提到。", "無法得知。",
        "作为一个人工智能语言模型，我无法访问实时信息。", "未知",
    ],
    "japanese": [
        "わかりません。", "分かりません", "申し訳ありませんが、わかりません。", "すみません、存じません。",
        "不明です。",
        "文書には記載されていません。", "その情報は文書に含まれていません。",
        "マストの色については記載がありません。",
        "提供された情報からは判断できません。", "お答えできません。", "情報が見つかりませんでした。", "不明",
        "申し訳ございませんが、お答えできかねます。港湾局にお問い合わせください。",
    ],
    "russian": [
        "Я не знаю.", "Не знаю", "К сожалению, я не знаю.", "В тексте это не указано.", "Неизвестно.",
        "Извините, но я не могу ответить на этот вопрос.", "У меня нет информации об этом.",
    ],
    "arabic": ["لا أعرف.", "لا أعلم", "عذراً، لا أعرف.", "لا توجد معلومات عن ذلك.", "آسف، لا أستطيع الإجابة."],
    "korean": ["모르겠습니다.", "잘 모르겠어요.", "죄송합니다만 알 수 없습니다.", "문서에 언급되어 있지 않습니다."],
}  # fmt: skip

ANSWERS = [
    "", " ", "-", "...", "?", "None", "none", "No", "Yes", "Nothing", "0", "14 days", "I know: 14 days",
    "The passage",
    "Unknown Pleasures", "The Unknown Soldier", "No information desk", "the tomb of an unknown sailor", "Nobody",
    "Nemo",
    "I can't say it often enough: reception", "I could not find a shorter limit: 90 days",
    "I could not find a limit shorter than 90 days.", "No one knows him better than Watson",
    "I don't know the date, but it was in Oslo.", "I don't know, but I think it was 1994.",
    "I'm not sure, maybe Oslo?",
    "I don't know, 1994?", "Sorry, it was Bob.", "I apologize, it was Bob.",
    "I'm sorry, but that is wrong: the mast is red.", "Sorry",
    "I don't know. It may have been Oslo.", "The exact date is unknown, but it was in spring.",
    "I Don't Know How to Love Him", '"I Can\'t Tell You Why" by the Eagles', "I Don't Want to Miss a Thing",
    "We did not find any significant difference.", "The writing could not be identified.",
    "A proof was never found in his letters.", "No texts of his have been found.",
    "He did not say a word.", "Dogs are not allowed.", "Breakfast is not included.", "It is not allowed.",
    "Parking is not provided.", "No parking.", "No limit", "There is no limit.", "There is no charge.",
    "There is no evidence that he was there.", "It is not possible to enter without a badge.",
    "It is not available on Sundays.",
    "You cannot enter without a badge. Please contact reception.", "The contract does not include insurance.",
    "Files do not contain personal data after 90 days.", "It cannot be returned.",
    "Nobody knows the trouble better than Anna.",
    "Please contact the harbour office.", "You can check it on the website.", "As an AI engineer, she builds models.",
    '[\n  "unknown"\n]', '{\n  "unknown": null\n}', '```json\n[\n"N/A"\n]\n```',
    '{"not stated": 1}', '{"answer": "I don\'t know."}', '["unknown"]', '```json\n{"colour": "unknown"}\n```', "null",
    "Not until 6 pm", "Not the red one", "Not known for his singing, he was a painter.",
    "Unfortunately, he died in 1994.",
    "The song \"I Don't Like Mondays\" came out in 1979.", "He said: I don't know", "Not Guilty", "Nein", "Nichts",
    "Non", "No.",
    "Ich weiß es: Oslo", "Nicht am Montag", "Das weiß ich nicht, aber es war in Oslo.", "Keine Hunde",
    "Kein Zutritt ohne Ausweis",
    "Je ne sais pas la date, mais c'était à Oslo.", "Pas le lundi", "No se puede entrar sin tarjeta.", "No los lunes",
    "No sé la fecha, pero fue en Oslo.", "Non prima delle 9", "Non lo so, ma era a Oslo.", "Não às segundas",
    "Não sei a data, mas foi em Oslo.", "Niet op maandag", "Ik weet de datum niet, maar het was in Oslo.",
    "我不知道日期，但是在奥斯陆。", "不能吸烟", "无法入内", "無", "红色", "不明白",
    "日付はわかりませんが、オスロです。", "赤です。", "不可",
    "入れません", "Не в понедельник", "Не знаю точно, но это было в Осло.", "빨간색입니다.",
]  # fmt: skip


@pytest.mark.parametrize("text", [text for texts in REFUSALS.values() for text in texts])
def test_refusals_are_recognised(text: str) -> None:
    assert is_refusal(text)
    assert without_refusal(text) == text


@pytest.mark.parametrize("text", ANSWERS)
def test_answers_are_no_refusals(text: str) -> None:
    assert not is_refusal(text)


@pytest.mark.parametrize("text", [ABSTENTION, "i don\N{RIGHT SINGLE QUOTATION MARK}t know", " **I  don't know.**\n"])
def test_the_agreed_abstention_is_recognised_exactly(text: str) -> None:
    assert is_agreed_abstention(text)
    assert is_refusal(text)


@pytest.mark.parametrize("text", ["", "unknown", "Not specified", "I don't know how", "I do not know"])
def test_other_words_are_not_the_agreed_abstention(text: str) -> None:
    assert not is_agreed_abstention(text)


OPENINGS = [
    "",
    "Sorry, ",
    "I'm sorry, but ",
    "Unfortunately, ",
    "I apologize, but ",
    "As an AI language model, ",
    "Hmm, ",
]
OBJECTS = [
    "who owns the crane", "when the ferry leaves", "how deep the basin is", "what the mast is made of",
    "which of the three piers is the oldest", "why the bell was moved in 1994",
]  # fmt: skip
HEADS = [
    "I don't know {}", "I do not know {}", "I'm not sure {}", "I cannot say {}", "I can't tell you {}",
    "I could not find out {}", "I couldn't find any information about {}", "I don't have any information on {}",
    "the passages do not say {}", "the provided text does not mention {}", "it is not clear from the documents {}",
    "it cannot be determined {}", "there is no information about {}", "none of the documents tells {}",
]  # fmt: skip
ENDINGS = [
    "", " Sorry about that.", " Please ask the harbour office.", " Is there anything else I can help you with?",
    " If you can give me more details, I will be happy to help.", " You may want to check the website of the port.",
    " I hope this helps!", " My knowledge ends in 2023.",
]  # fmt: skip
CONTENT = [
    "but it was in Oslo", "but I think it was Anna Holm", "however, the sign says 14 metres", "but the bell is older",
    "although it may be 1994",
]  # fmt: skip
SENTENCES = ["It is 14 metres.", "Anna Holm owns it.", "The sign says Monday.", "The oldest one is of oak.", "Oslo."]


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


@pytest.mark.parametrize("head", HEADS)
def test_any_opening_object_and_ending_make_a_refusal(head: str) -> None:
    for opening, thing, ending in product(OPENINGS, OBJECTS, ENDINGS):
        text = f"{capitalised(opening + head.format(thing))}.{ending}"
        assert is_refusal(text), text
        assert without_refusal(text) == text


@pytest.mark.parametrize("head", HEADS)
def test_what_goes_on_with_an_answer_is_one_and_is_found(head: str) -> None:
    for opening, thing in product(OPENINGS, OBJECTS):
        text = capitalised(opening + head.format(thing))
        for content in CONTENT:
            assert not is_refusal(f"{text}, {content}."), (text, content)
            assert without_refusal(f"{text}, {content}.") == f"{content}."
        for sentence in SENTENCES:
            assert not is_refusal(f"{text}. {sentence}"), (text, sentence)
            assert without_refusal(f"{text}. {sentence}") == sentence
            assert not is_refusal(f"{sentence} {text}."), (text, sentence)
            assert without_refusal(f"{sentence} {text}.") == sentence


@given(st.sampled_from(sorted(REFUSALS)), st.data())
def test_two_refusals_are_one(language: str, data: st.DataObject) -> None:
    one, two = (data.draw(st.sampled_from(REFUSALS[language])).strip('*"> ') for _ in range(2))
    assert is_refusal(f"{one}\n{two}")
    assert is_refusal(f"  {one}\n\n{two}  ")


@pytest.mark.parametrize("text", [text for texts in REFUSALS.values() for text in texts])
def test_a_refusal_before_or_after_an_answer_is_left_out(text: str) -> None:
    assert without_refusal(f"{text}\n14 metres") == "14 metres"
    assert without_refusal(f"14 metres\n{text}") == "14 metres"
    assert not is_refusal(f"{text}\n14 metres")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "As an AI language model I have no real-time access. However, as of 2021 the owner is Anna Holm",
            "However, as of 2021 the owner is Anna Holm",
        ),
        ("I don't know the date, but it was in Oslo", "but it was in Oslo"),
        ("It was in Oslo, but I don't know the date.", "It was in Oslo"),
        ("I'm sorry, I don't know: try 14 metres?", "try 14 metres?"),
        ("I do not have live data; the fare was 5 pounds.", "the fare was 5 pounds."),
        ("It is 14 metres. Please note that I don't have access to live data.", "It is 14 metres."),
        ("It is 14 metres. I don't know more. You can ask the harbour office.", "It is 14 metres."),
        ("Dr. Holm owns it. I don't know since when.", "Dr. Holm owns it."),
        ("I don't know about J. Holm. Anna owns it.", "Anna owns it."),
        ("抱歉，我不知道日期，但是在奥斯陆。", "但是在奥斯陆。"),
        ("日付はわかりませんが、オスロです。", "日付はわかりませんが、オスロです。"),
    ],
)
def test_the_answer_is_what_is_left(text: str, left: str) -> None:
    assert without_refusal(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "It is 14 metres. Please ask the harbour office for more.",
        "He said: I don't know",
        "Call the harbour office. If nobody answers, call again.",
        "Please contact reception.",
        "Sorry. It was Bob.",
        '{"a": "I don\'t know."}',
        "",
        "I don't know.",
    ],
)
def test_a_text_without_a_refusal_is_left_as_it_is(text: str) -> None:
    """Advice is the answer to some questions; it is left out beside a refusal alone."""
    assert without_refusal(text) == text


@settings(deadline=None)
@given(st.text(), st.sampled_from([text for texts in REFUSALS.values() for text in texts]), st.text())
def test_no_text_is_too_odd(before: str, refusal: str, after: str) -> None:
    for text in (before, f"{before}{refusal}{after}", f"{before}\n{after}"):
        left = without_refusal(text)
        assert left in text
        assert bool(left.strip()) == bool(text.strip())
        assert not (is_refusal(text) and left != text)
        assert not (is_agreed_abstention(text) and not is_refusal(text))


@pytest.mark.parametrize(
    "unit",
    [
        "I don't know. ", "I don't know, but ", "the ", "is not ", "a", " ", "\n", "sorry, ", "so ", '"', "x: ", "- ",
        "不",
        "the given provided passages ", "it is unclear ", "please note that ", "(", ".", "[1] ", "unfortunately, ",
    ],
)  # fmt: skip
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    """Twenty thousand characters take a fraction of the five seconds, on a slow machine too."""
    start = perf_counter()
    for size in (1_999, 20_000):
        text = (unit * size)[:size]
        is_refusal(text)
        without_refusal(text)
    assert perf_counter() - start < 5.0
