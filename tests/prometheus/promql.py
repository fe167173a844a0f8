# SPDX-License-Identifier: Apache-2.0
"""Can an expression of PromQL have a value, if these are the series that there are?

Only what is certain is ruled out: an `and`, a comparison or a product of which one side is empty.
"""
import re

TOKEN = re.compile(r"""\s+|\#.*|(?P<token>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\d[\w.]*
                       |[A-Za-z_:][\w:]*|==|!=|<=|>=|=~|!~|[-+*/%^<>=(){}\[\],@])""", re.X)
PRECEDENCE = {"or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3,
              "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6, "atan2": 5}
AGGREGATIONS = {"sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "topk", "bottomk",
                "quantile", "count_values"}
# These have a value where their argument has none, or need none.
NEVER_EMPTY = {"absent", "absent_over_time", "scalar", "vector", "time", "pi"}


def tokens_of(text):
    tokens, at = [], 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise ValueError(f"not understood: {text[at:at + 40]!r} in {text!r}")
        if found["token"]:
            tokens.append(found["token"])
        at = found.end()
    return tokens


class Parser:
    """Each function returns whether what it read can have a value: a function of `exists`, which is
    asked with a metric's name and the text of its matchers."""

    def __init__(self, text):
        self.tokens, self.at, self.text = tokens_of(text), 0, text

    def next(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        token = self.next()
        if token is None or wanted not in (None, token):
            raise ValueError(f"{token!r} where {wanted or 'more'!r} was expected in {self.text!r}")
        self.at += 1
        return token

    def whole(self):
        value = self.expression(1)
        if self.next() is not None:
            raise ValueError(f"{self.next()!r} is one too many in {self.text!r}")
        return value

    def expression(self, lowest):
        left = self.unary()
        while (operator := self.next()) in PRECEDENCE and PRECEDENCE[operator] >= lowest:
            self.take()
            self.matching()
            left = combined(operator, left, self.expression(PRECEDENCE[operator] + 1))
        return left

    def matching(self):
        for words in (("bool",), ("on", "ignoring"), ("group_left", "group_right")):
            if self.next() in words:
                self.take()
                if words != ("bool",) and self.next() == "(":
                    self.skip("(", ")")

    def unary(self):
        while self.next() in ("+", "-"):
            self.take()
        value = self.primary()
        while self.next() in ("[", "offset", "@"):
            if self.next() == "[":
                self.skip("[", "]")
            else:
                self.take()
                self.unary()  # a duration or a time
        return value

    def primary(self):
        token = self.take()
        if token == "(":
            value = self.expression(1)
            self.take(")")
            return value
        if token == "{":
            self.at -= 1
            self.skip("{", "}")
            return lambda exists: True
        if token[0].isdigit() or token[0] in "\"'":
            return lambda exists: True
        if token in AGGREGATIONS:
            self.by()
            value = self.arguments()
            self.by()
            return value
        if self.next() == "(":
            value = self.arguments()
            return (lambda exists: True) if token in NEVER_EMPTY else value
        matchers = self.skip("{", "}") if self.next() == "{" else ""
        return lambda exists: exists(token, matchers)

    def by(self):
        if self.next() in ("by", "without"):
            self.take()
            self.skip("(", ")")

    def arguments(self):
        self.take("(")
        values = []
        while self.next() != ")":
            values.append(self.expression(1))
            if self.next() != ")":
                self.take(",")
        self.take(")")
        return lambda exists: all(value(exists) for value in values)

    def skip(self, opening, closing):
        """To the bracket that closes; what stands between them."""
        self.take(opening)
        start = self.at
        while self.take() != closing:
            pass
        return "".join(self.tokens[start:self.at - 1])


def combined(operator, left, right):
    if operator == "or":
        return lambda exists: left(exists) or right(exists)
    if operator == "unless":
        return left
    return lambda exists: left(exists) and right(exists)


def parsed(text):
    """A function of `exists(name, matchers)`: can this expression have a value?"""
    return Parser(text).whole()
