"""Reads and writes the files of the prior: answers, a matrix of one's own, and the page with the form."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from weighbridge.decide.prior.advice import Advice
from weighbridge.decide.prior.answers import check_answers
from weighbridge.decide.prior.matrix import AdviceMatrix
from weighbridge.errors import DataError
from weighbridge.report.advice.wording import answers_file


def read_answers_file(path: Path, matrix: AdviceMatrix) -> dict[str, Any]:
    """Read the answers of a YAML or JSON file, `key: value`. An empty value means the default.

    Raises:
        DataError: `file:line: key: problem; remedy`, a line for each problem.
    """
    node = load_yaml_answers(path)
    if node is None:
        return {}
    given = {key: value for key, value in node.items() if value is not None}
    if problems := check_answers(matrix, given):
        lines = {key: node.lc.key(key)[0] + 1 for key in problems}
        raise DataError("\n".join(f"{path}:{lines[key]}: {key}: {problem}" for key, problem in problems.items()))
    return given


def load_yaml_answers(path: Path) -> Any:
    """Return the mapping in a YAML or JSON file, with the lines of its keys; None for an empty file.

    Raises:
        DataError: the file cannot be read, or holds something else.
    """
    from ruamel.yaml import YAML  # JSON is YAML too
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="rt", pure=True).load(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give a YAML or JSON file of answers") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = (error.problem or "it cannot be parsed").split("\n")[0]
        raise DataError(f"{path}:{line}: is neither YAML nor JSON: {problem}; write lines of `key: value`") from error
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).split("\n")[0]
        raise DataError(f"{path}:1: is neither YAML nor JSON: {reason}; write lines of `key: value`") from error
    if node is not None and not isinstance(node, CommentedMap):
        raise DataError(f"{path}:1: must hold lines of `key: value`, not a list or a text")
    return node


def save_to_edit(path: Path, matrix: AdviceMatrix, advice: Advice) -> None:
    """Write the answers for `--answers`, or for a path that ends with .toml our matrix for `--matrix`.

    Raises:
        DataError: the path ends otherwise, or is a matrix that exists already: that may be the user's work.
    """
    from weighbridge.workspace import write_text

    if path.suffix == ".toml":
        if path.exists():
            raise DataError(f"{path}: exists already; choose another name, or use it with --matrix")
        shipped = files("weighbridge.decide.prior") / "matrix.toml"
        write_text(path, shipped.read_text(encoding="utf-8"))
    elif path.suffix in {".yaml", ".yml"}:
        write_text(path, answers_file(matrix, advice.answers))
    else:
        raise DataError(f"{path}: must end with .yaml for the answers, or with .toml for the table of advice")


def write_advice_page(path: Path, matrix: AdviceMatrix, advice: Advice) -> None:
    """Write the form with the prior as one web page that needs no network."""
    from weighbridge.report.advice.advice_page import advice_page
    from weighbridge.workspace import write_text

    write_text(path, advice_page(matrix, advice))


def advice_as_json(matrix: AdviceMatrix, advice: Advice) -> Mapping[str, Any]:
    """Return the prior for programs: the values, and the verdict in words."""
    from weighbridge.report.advice.wording import CAVEAT, advice_headline

    return {"headline": advice_headline(matrix, advice), "caveat": CAVEAT, "advice": advice}
