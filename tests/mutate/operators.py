# SPDX-License-Identifier: Apache-2.0
"""Plausible one-line mistakes in C++ as this project formats it, each as a line that is right or wrong
by a switch. What a line makes of it is text: a mutation that does not compile is dropped later."""
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    file: str     # relative to the source's root
    line: int     # from 1
    what: str     # "< becomes <="
    before: str   # the line as it stands, stripped
    # The line with the mutation behind switch N: a function of N.
    template: str

    def text(self, number):
        return self.template.replace("@N@", str(number))


# What an operator is mistaken for. Spaces tell comparisons from template brackets.
_SWAPS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "),
          (" != ", " == "), (" && ", " || "), (" || ", " && ")]
_CONDITION = re.compile(r"^(?P<head>\s*(?:\} else )?(?:if|while) \()(?P<rest>.*)$")
_RETURN = re.compile(r"^(?P<head>\s*(?:return|co_return) )(?P<value>[^{}]+);$")
_CALL = re.compile(r"^\s*(?:co_await )?[A-Za-z_:][\w:.\->\[\]*]*\(.*\);$")
_ASSIGNMENT = re.compile(r"^\s*[A-Za-z_]\w*(?:(?:::|\.|->)\w+|\[[^\]]*\])* (?:=|\+=|-=|\|=|&=) [^=].*;$")
_STEP = re.compile(r"^\s*(?:\+\+|--)[A-Za-z_][\w.\->\[\]]*;$")
_JUMP = re.compile(r"^\s*(?:continue|break);$")
_NO_STATEMENT = re.compile(r"^\s*(?:return|co_return|throw|static_assert|using|delete|case|goto)\b|EXPECT_|ASSERT_")
_BOOLEAN = re.compile(r" (?:<|<=|>|>=|==|!=|&&|\|\|) |^!")


def _split_condition(rest):
    """The condition and what follows its parenthesis; None where it does not end on this line."""
    depth = 1
    for place, letter in enumerate(rest):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return rest[:place], rest[place:]
    return None


def _code(line):
    """The line without its comment and with strings blanked to the same length."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"', lambda found: '"' + "_" * (len(found.group()) - 2) + '"', line)
    return re.sub(r"\s*//.*$", "", line)


def _wrong_forms(expression):
    """What the expression may be mistaken for: (what, text)."""
    blank = _code(expression)
    forms = []
    for right, wrong in _SWAPS:
        start = blank.find(right)
        while start >= 0:
            forms.append((f"{right.strip()} becomes {wrong.strip()}",
                          expression[:start] + wrong + expression[start + len(right):]))
            start = blank.find(right, start + 1)
    for found in re.finditer(r"(?<![\w)=])!(?=[A-Za-z_(])", blank):
        forms.append(("! dropped", expression[:found.start()] + expression[found.end():]))
    for found in re.finditer(r" [+-] 1\b(?![.\d'])", blank):
        forms.append(("1 dropped", expression[:found.start()] + expression[found.end():]))
    return forms


def _of_condition(file, number, line):
    found = _CONDITION.match(line)
    split = _split_condition(found["rest"]) if found else None
    if not split or ";" in _code(split[0]) or "co_await" in split[0] or re.search(r"[\w>*&] =(?!=)| = ", split[0]):
        return
    condition, tail = split
    forms = _wrong_forms(condition) + [("condition never holds", "false"), ("condition always holds", "true")]
    if found["head"].strip().endswith("while ("):
        forms.pop()  # for ever is no mistake worth a run
    for what, wrong in forms:
        text = f"{found['head']}CANARY_MUTANT(@N@) ? bool({wrong}) : bool({condition}){tail}"
        yield Mutation(file, number, what, line.strip(), text)


def _of_return(file, number, line):
    found = _RETURN.match(line)
    if not found or "co_await" in line:
        return
    value = found["value"]
    forms = []
    if value in ("true", "false"):
        forms = [(f"{value} becomes {'false' if value == 'true' else 'true'}", "false" if value == "true" else "true")]
    elif _BOOLEAN.search(_code(value)) and "?" not in value:
        forms = _wrong_forms(value)
    for what, wrong in forms:
        yield Mutation(file, number, what, line.strip(),
                       f"{found['head']}CANARY_MUTANT(@N@) ? ({wrong}) : ({value});")


def _of_statement(file, number, line, previous):
    # A statement that begins and ends on this line.
    if not re.search(r"(?:[;{}:]|\*/|^\s*//.*|^\s*|(?:if|while|for) \(.*\)|else)$", _code(previous)):
        return
    code = _code(line)
    if code != line or _NO_STATEMENT.search(line):
        return
    if not any(form.match(code) for form in (_CALL, _ASSIGNMENT, _STEP, _JUMP)):
        return
    indent = line[:len(line) - len(line.lstrip())]
    yield Mutation(file, number, "statement dropped", line.strip(),
                   f"{indent}if (!CANARY_MUTANT(@N@)) {{ {line.strip()} }}")


def mutations_of(file, source):
    """Every mutation of a .cc file's function bodies."""
    lines = source.split("\n")
    previous = ""
    for number, line in enumerate(lines, 1):
        indented = line.startswith("  ")
        constant = "constexpr" in line or "consteval" in line or "static_assert" in line or line.endswith("\\")
        if indented and not constant and not line.lstrip().startswith("//"):
            yield from _of_condition(file, number, line)
            yield from _of_return(file, number, line)
            yield from _of_statement(file, number, line, previous)
        if line.strip():
            previous = line
