"""This machine: its processor, the precisions and threads that suit it, and the measured speed of models on it."""

from weighbridge.machine.hardware import Hardware, this_hardware, this_machine
from weighbridge.machine.profile import (
    MachineProfile,
    choose_threads,
    embedding_floats,
    embedding_precision,
    machine_profile,
    training_precision,
)
from weighbridge.machine.rates import ProductRates
from weighbridge.machine.speeds import ModelSpeed, model_speed, save_model_speed

__all__ = [
    "Hardware",
    "MachineProfile",
    "ModelSpeed",
    "ProductRates",
    "choose_threads",
    "embedding_floats",
    "embedding_precision",
    "machine_profile",
    "model_speed",
    "save_model_speed",
    "this_hardware",
    "this_machine",
    "training_precision",
]
