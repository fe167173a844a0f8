# SPDX-License-Identifier: Apache-2.0
"""The shipped rules, faster: every span of time in them (`for:`, windows, offsets, intervals of
groups) divided by one factor, and nothing else."""
import re

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(text):
    parts = re.findall(r"(\d+)(ms|[smhd])", text)
    if "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"no duration: {text}")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def scaled(rules, factor):
    def shorter(match):
        return f"{match[1]}{max(1, milliseconds(match[2]) // factor)}ms{match[3]}"
    rules = re.sub(r"^(\s+(?:for|keep_firing_for|interval): )(\w+)()$", shorter, rules, flags=re.M)
    rules = re.sub(r"(\[)(\w+)(\]|(?=:))", shorter, rules)
    rules = re.sub(r"(\[\w+:)(\w+)(\])", shorter, rules)
    return re.sub(r"(\boffset )(\w+)()", shorter, rules)
