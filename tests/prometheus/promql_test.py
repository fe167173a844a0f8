#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which expressions are certain to be empty, by the series that there are: a and b, not c and d."""
import sys

import promql

CAN = ["a", "a == 0", "a > bool 3", "a or c", "c or a", "c or d or a", "a and b", "a unless c", "a unless b",
       "a * on (x) group_left (y, z) b", "a - on (x) group_right () b > 0", "1 - a", "-a", "vector(1)",
       "absent(c)", 'absent(c{job="x"})', "c or vector(0)", "scalar(c) * a", "time() - a", '{x="y"}', "3 > bool 2",
       'label_replace(a, "x", "$1", "y", "(.+)")', "sum by (c) (a)", "sum(a) by (c)", "topk by (c) (1, a)",
       "rate(a[5m])", "avg_over_time(a[3d:30m])", "a offset 1h", "last_over_time(a[15m] offset 1d)", "a @ 5",
       'a{c="d, (d"}', "a # c\n and b", "(a and c) or b", "c and a or b", "a or b and c", "0 * c or a",
       'ALERTS{alertname="c"} or a', "histogram_quantile(0.9, sum by (le) (rate(a[5m])))"]
CANNOT = ["c", "c or d", "a and c", "c and a", "c unless a", "a * c", "c * on (a) group_left (b) a", "1 - c",
          "0.5 * c > 0", "sum by (a) (c)", "sum(c) by (a)", "topk by (a) (1, c)", "rate(c[5m])", 'c{a="b"}',
          "(a or b) and c", "a and (c or d)", "a == on (b) c", "c # a", "quantile_over_time(0.9, c[1h])",
          "label_replace(c, \"a\", \"$1\", \"b\", \"(.+)\")", 'c{x="a", y!~"b"}', "a and c or d and b",
          "a > on (x) group_left () c", "c - time()", "sum(a) + sum(c)", "a unless b and c or d and c"]
WRONG = ["a and", "(a", "a)", "a b", "sum(a", "a{", "?"]


def can_have_a_value(text):
    return promql.parsed(text)(lambda name, matchers: name in ("a", "b"))


def main():
    wrong = [f"has a value, and is said to be empty: {text}" for text in CAN if not can_have_a_value(text)]
    wrong += [f"is empty, and is not said to be: {text}" for text in CANNOT if can_have_a_value(text)]
    for text in WRONG:
        try:
            promql.parsed(text)
            wrong.append(f"is no expression, and is taken for one: {text}")
        except ValueError:
            pass
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
