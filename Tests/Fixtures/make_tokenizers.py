"""Writes tokenizers/: two small tokenizers of Hugging Face's library, and what it makes of texts.

    python Tests/Fixtures/make_tokenizers.py

`byte-pairs.json` is of GPT-2's kind (byte-level BPE), `word-pieces.json` of BERT's (WordPiece with its normaliser, and a
template that adds [CLS] and [SEP]), `cased.json` the same without small letters; all are trained on the sentences below.
`cases.json` has for each tokenizer and each text the ids, without what the template adds and with it, and the decoded text.
Needs tokenizers (made with 0.23.3), takes a second.
"""

import json
import pathlib

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = [
    "The lower the tower, the slower the shower; they'll say we're newer and I've the lowest.",
    "Unaffable affairs aren't able to unable the stable table. She'd said: it's 1984, 42 and 7!",
    "Crème brûlée à la carte, naïve façade, Ångström, über, señor: déjà vu.",
    "日本語 and 中文 stand beside Ελλάδα, Россия, हिन्दी and 한국어.",
    "New lines\nand  two spaces,\ttabs   and three.",
] * 4

TEXTS = [
    "lower low",
    "Unaffable ab axb",
    "they'll say we're newer, I've said she'd; it's 'quoted' 'sure",
    "  leading and   inner    spaces  ",
    "line\n\nbreaks\r\n and\ttabs \n",
    "Crème BRÛLÉE e\u0301 \u00e9 Å \u212b İstanbul ß ẞ",
    "日本語中文、한국어 हिन्दी Ελλάδα РОССИЯ",
    "1984 ½ Ⅷ ٣٤ x² 3.14 10,000",
    "a\u00a0b\u2003c\u200bd\u00ade\ufefff \u0007bell",
    "🙂 👩‍👩‍👧 emoji_and-punct.,!? $5 + 3 = 8 <b> `code` ^~|",
    "<|endoftext|>text<|endoftext|> [MASK]ed [SEP] [UNK]",
    "pneumonoultramicroscopicsilicovolcanoconiosis" * 3,
    "don't DON'T don’t 'S 'LL",
    "x",
    "",
    " ",
]


def byte_pairs():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(
            vocab_size=340,
            special_tokens=["<|endoftext|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return tokenizer


def word_pieces(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.train_from_iterator(
        SENTENCES,
        trainers.WordPieceTrainer(
            vocab_size=260,
            special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


folder = pathlib.Path(__file__).parent / "tokenizers"
folder.mkdir(exist_ok=True)
made = {
    "byte-pairs": byte_pairs(),
    "word-pieces": word_pieces(True),
    "cased": word_pieces(False),
}
cases = []
for name, tokenizer in made.items():
    tokenizer.save(str(folder / f"{name}.json"), pretty=False)
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append(
            {
                "tokenizer": name,
                "text": text,
                "ids": ids,
                "full": tokenizer.encode(text).ids,
                "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            }
        )
json.dump(cases, open(folder / "cases.json", "w"), ensure_ascii=False, indent=0)
