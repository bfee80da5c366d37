#!/usr/bin/env python3
"""The bytes that TensorBoardLoggerTests compares with, by tensorboard's own writer (2.20): pip install tensorboard."""

import io

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def record(event):
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString())
    return file.getvalue().hex()


def scalar(name, value, step):
    summary = Summary(value=[Summary.Value(tag=name, simple_value=value)])
    return record(Event(wall_time=1.5, step=step, summary=summary))


print("version", record(Event(wall_time=1.5, file_version="brain.Event:2")))
print("loss", scalar("loss", 0.25, 300))
print("named", scalar("é", float("nan"), 1))
