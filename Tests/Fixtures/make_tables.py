"""Writes tables.json: a small table, and what fastai's Categorify, FillMissing, Normalize and add_datepart make of it.

`train` and `valid` are CSV texts. `categories` and `numbers` name the inputs in order; `vocab` are the values of each
category without fastai's `#na#`, whose code is 0; `medians`, `means` and `deviations` are the figures of the numbers, in
float64; `train_categories`, `train_numbers`, `valid_categories` and `valid_numbers` are the inputs of the rows. The valid rows
come as new data (`to.new(…)`), so that a value which training lacks is 0. `embeddings` are fastai's sizes for so many
values. `numbers_exact` are texts of numbers and the bits of the float64 that Python reads. `network` are weights of fastai's `TabularModel` for three categories and two numbers, running
statistics that aren't the first ones among them, and its outputs in inference for some rows.

Needs fastai and pandas (made with fastai 2.8.12, pandas 3.1.1).
"""
import io
import json
import pathlib
import random
import re
import struct

import fastai
import numpy as np
import pandas as pd
import torch
from fastai.tabular.core import (Categorify, FillMissing, Normalize, TabularPandas, add_datepart)
from fastai.tabular.model import TabularModel, emb_sz_rule

random.seed(7)
colours = ["red", "green", "blue", "dark red", "Ünder"]


def row(number):
    cells = [
        random.choice(colours) if number % 7 else "",
        random.choice("xyz"),
        f"{random.gauss(40, 12):.3f}" if number % 5 else "",
        str(random.randrange(1000, 900000)),
        f"{2019 + number % 4}-{1 + number * 5 % 12:02}-{[1, 9, 28, 30, 31][number % 5] if 1 + number * 5 % 12 not in (2, 4, 6, 9, 11) else [1, 28, 15, 7, 30][number % 5] if 1 + number * 5 % 12 != 2 else [1, 28, 15, 7, 27][number % 5]}"
        if number % 11 else "",
        random.choice(["no", "yes"]),
    ]
    return ",".join(cells)


header = "colour,letter,age,income,soldDate,bought"
train_text = "\n".join([header] + [row(n) for n in range(1, 41)]) + "\n"
valid_text = "\n".join([header] + [row(n) for n in range(41, 49)]
                       + ["violet,w,,5,2024-02-29,no", ",x,1e3,2000000,2023-01-01,yes"]) + "\n"

flags = ["soldIs_month_end", "soldIs_month_start", "soldIs_quarter_end", "soldIs_quarter_start",
         "soldIs_year_end", "soldIs_year_start"]
categories = ["colour", "letter", "soldMonth", "soldDayofweek"] + flags
numbers = ["age", "income", "soldYear", "soldWeek", "soldDay", "soldDayofyear", "soldElapsed"]


def frame(text):
    # Only empty cells are missing here; strings as objects, as fastai's processors expect them.
    table = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])
    # add_datepart takes nanoseconds for granted.
    table["soldDate"] = pd.to_datetime(table["soldDate"]).astype("datetime64[ns]")
    missing = table["soldDate"].isna()
    table = add_datepart(table, "soldDate")
    # A missing time has the smallest number, where fastai means none.
    table.loc[missing, "soldElapsed"] = np.nan
    for name in ["income"] + numbers[2:]:
        table[name] = table[name].astype("float64")
    return table


train, valid = frame(train_text), frame(valid_text)
# Dates' numbers have missing values, too, but a flag for each would say the same; fill them as FillMissing does.
date_medians = {name: train[name].median() for name in numbers[2:]}
for table in (train, valid):
    for name, median in date_medians.items():
        table[name] = table[name].fillna(median)
medians = {name: train[name].median() for name in numbers}
to = TabularPandas(train, [Categorify, FillMissing, Normalize], cat_names=list(categories),
                   cont_names=list(numbers), y_names="bought", splits=None, do_setup=True, reduce_memory=False)
new = to.new(valid)
new.process()
categories = list(to.cat_names)

exact = ["0", "-0", "1", "007.5", "1e3", "-1.25E-3", "9007199254740993", "9007199254740992.5", "0.1",
         "123456789012345678901234567890", "1.7976931348623157e308", "5e-324", "2.2250738585072011e-308",
         "0.000000000000000000000000000000000001", "+.5", "5.", "179769313486231570e291", "1e-400"]
exact += [repr(random.uniform(-1, 1) * 10 ** random.randrange(-30, 30)) for _ in range(60)]
exact += [f"{random.randrange(10 ** 18)}.{random.randrange(10 ** 6)}" for _ in range(20)]

torch.manual_seed(3)
model = TabularModel([(4, 3), (10, 6), (2, 2)], 2, 3, [9, 8], bn_cont=True)
for name, value in model.named_buffers():
    if name.endswith("running_mean"):
        value.copy_(torch.randn(value.shape) / 3)
    elif name.endswith("running_var"):
        value.copy_(torch.rand(value.shape) + 0.5)
for value in model.parameters():
    value.data.copy_(torch.randn(value.shape) * 0.8)
model.eval()
codes = torch.tensor([[0, 9, 1], [3, 0, 0], [2, 5, 1], [1, 1, 0]])
values = torch.tensor([[0.5, -1.0], [0.0, 2.0], [-0.25, 0.75], [3.0, -2.0]])
with torch.no_grad():
    outputs = model(codes, values)
network = {
    "weights": {name: {"shape": list(value.shape), "values": value.flatten().tolist()}
                for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")},
    "categories": codes.flatten().tolist(), "numbers": values.flatten().tolist(),
    "outputs": outputs.flatten().tolist(),
}

result = {
    "versions": {"fastai": fastai.__version__, "pandas": pd.__version__},
    "train": train_text,
    "valid": valid_text,
    "categories": categories,
    "numbers": numbers,
    # Parts of dates are whole numbers, which missing ones made float64.
    "vocab": [[str(value).removesuffix(".0") for value in to.classes[name]][1:] for name in categories],
    "medians": [medians[name] for name in numbers],
    "means": [float(to.procs.normalize.means[name]) for name in numbers],
    "deviations": [float(to.procs.normalize.stds[name]) for name in numbers],
    "train_categories": to.items[categories].astype(int).values.tolist(),
    "train_numbers": to.items[numbers].astype("float64").values.tolist(),
    "valid_categories": new.items[categories].astype(int).values.tolist(),
    "valid_numbers": new.items[numbers].astype("float64").values.tolist(),
    "embeddings": {str(n): emb_sz_rule(n) for n in (2, 3, 4, 5, 10, 17, 43, 50, 100, 1000, 10000, 100000)},
    "network": network,
    "numbers_exact": {text: f"{struct.unpack('<Q', struct.pack('<d', float(text)))[0]:016x}" for text in exact},
}
path = pathlib.Path(__file__).parent / "tables.json"
path.write_text(re.sub(r"\n  +|\n (?=[\]}])", " ", json.dumps(result, indent=1, ensure_ascii=False)) + "\n")
print(result["versions"], path.stat().st_size, "bytes")
