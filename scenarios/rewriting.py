"""New values in the text of a drill, everything else as it stands: comments, order, spelling."""

from collections.abc import Mapping

import yaml

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class RewritingError(ValueError):
    """A value that cannot be put in place; says where and why."""


def with_takes(text: str, takes: Mapping[int, str]) -> str:
    """Return the text of a drill with other `takes` of steps, by their index in the runbook, each in one line of YAML.

    The text is that of a drill that loads. Raises :class:`RewritingError` where the step, its time or the whole runbook
    comes from elsewhere in the file (an alias or `<<`); what comes of a value that others refer to is for the caller to
    see, by loading the result.
    """
    spans = []
    runbook = _value(yaml.compose(text, _LOADER), "runbook")
    for index, value in takes.items():
        steps = runbook.value if isinstance(runbook, yaml.SequenceNode) else []
        node = _value(steps[index], "takes") if index < len(steps) else None
        if node is None:
            raise RewritingError(f"runbook[{index}].takes stands elsewhere in the file")
        spans.append((node.start_mark.index, _end(node), value))
    for start, end, value in sorted(spans, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return what stands under a key of a mapping."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _end(node: yaml.Node) -> int:
    """Return where a value ends; PyYAML has blocks end where the next thing begins, after comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)
