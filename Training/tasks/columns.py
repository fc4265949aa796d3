"""Written arithmetic, one short step per line, so that a small transformer can compute every token.

A number is first listed with the letter of each digit's place from the left (``482`` as ``A4B8C2``; the second operand has small
letters), which makes finding a digit a look-up. Every step ends with the digits of the result found so far, so that each
number is a copy of the one above it with one digit more. Every routine returns its lines and its result.
"""

from __future__ import annotations

LARGE, SMALL = "ABCDEFGHIJKLMNOP", "abcdefghijklmnop"


def listing(number: int | str, letters: str = LARGE) -> str:
    """The digits of a number behind the letters of their places."""
    return "".join(letters[i] + digit for i, digit in enumerate(str(number)))


def from_right(number: int, place: int, letters: str) -> tuple[str, int]:
    """Letter and digit of a place counted from the right, and its value; nothing where the number has ended."""
    text = str(number)
    i = len(text) - 1 - place
    return (letters[i] + text[i], int(text[i])) if i >= 0 else ("", 0)


def add(a: int, b: int) -> tuple[list[str], int]:
    """Sum by columns with carries."""
    lines = [f"{a}+{b}", listing(a), listing(b, SMALL)]
    width = max(len(str(a)), len(str(b)))
    carry, result = 0, ""
    for i in range(width):
        (left, x), (right, y) = from_right(a, i, LARGE), from_right(b, i, SMALL)
        total = x + y + carry
        result = str(total if i == width - 1 else total % 10) + result
        lines.append(f"{left}{right}+{carry}={total:02d},{result}")
        carry = total // 10
    return lines, a + b


def compare(a: int, b: int) -> list[str]:
    """Which number is larger: by length, else place by place up to the first difference."""
    x, y = str(a), str(b)
    if len(x) != len(y):
        return [f"{len(x)}{'>' if a > b else '<'}{len(y)}"]
    lines = []
    for i, (p, q) in enumerate(zip(x, y)):
        lines.append(f"{LARGE[i]}{p}{SMALL[i]}{q}{'=' if p == q else '>' if p > q else '<'}")
        if p != q:
            break
    return lines


def subtract(a: int, b: int) -> tuple[list[str], int]:
    """Difference by columns with borrows; the smaller number is taken from the larger one."""
    lines = [f"{a}-{b}", listing(a), listing(b, SMALL), *compare(a, b)]
    if a == b:
        return lines + ["=0"], 0
    (large, upper), (small, lower) = ((a, LARGE), (b, SMALL)) if a > b else ((b, SMALL), (a, LARGE))
    borrow, result = 0, ""
    for i in range(len(str(large))):
        (left, x), (right, y) = from_right(large, i, upper), from_right(small, i, lower)
        rest = x - y - borrow
        taken = 1 if rest < 0 else 0
        result = str(rest + 10 * taken) + result
        lines.append(f"{left}{right}-{borrow}={taken}{rest + 10 * taken},{result}")
        borrow = taken
    return lines + [f"={a - b}"], a - b


def digit_rows(a: int, digit: int) -> list[str]:
    """The steps of a product with one digit."""
    lines, carry, result = [], 0, ""
    width = len(str(a))
    for i in range(width):
        left, x = from_right(a, i, LARGE)
        total = x * digit + carry
        result = str(total if i == width - 1 else total % 10) + result
        lines.append(f"{left}×{digit}+{carry}={total:02d},{result}")
        carry = total // 10
    return lines


def multiply(a: int, b: int) -> tuple[list[str], int]:
    """Product by partial products; the factor with fewer digits is taken apart."""
    if a == 0 or b == 0:
        return [f"{a}×{b}=0"], 0
    if len(str(a)) < len(str(b)):
        lines, result = multiply(b, a)
        return [f"{a}×{b}"] + lines, result
    if str(b).strip("0") == "1":
        return [f"{a}×{b}={a * b}"], a * b
    if b < 10:
        return [f"{a}×{b}", listing(a)] + digit_rows(a, b), a * b
    lines = [f"{a}×{b}", listing(a), listing(b, SMALL)]
    total = None
    for place in range(len(str(b))):
        name, digit = from_right(b, place, SMALL)
        lines.append(name)
        if digit == 0:
            continue
        lines += digit_rows(a, digit)
        part = a * digit * 10**place
        if total is not None:
            rows, total = add(part, total)
            lines += rows
        else:
            total = part
            if place:
                lines.append(f"={part}")
    return lines, total or 0


def divide(a: int, digit: int) -> tuple[list[str], int, int]:
    """Short division by one digit: quotient and remainder."""
    lines = [f"{a}÷{digit}", listing(a)]
    rest, result = 0, ""
    for i, figure in enumerate(str(a)):
        part = rest * 10 + int(figure)
        result = (result + str(part // digit)).lstrip("0")
        lines.append(f"{LARGE[i]}{rest}{figure}÷{digit}={part // digit}r{part % digit}" + (f",{result}" if result else ""))
        rest = part % digit
    if rest or not result:
        lines.append(f"={a // digit}" + (f"r{rest}" if rest else ""))
    return lines, a // digit, rest


def series(first: int, last: int, step: int, shows_second: bool) -> tuple[list[str], int]:
    """Arithmetic series: number of terms, first plus last, their product, half of it.

    ``shows_second``: whether the question has the second term, whose difference to the first is the step.
    """
    lines = [f"{first},{first + step}..{last}"] if shows_second else [f"{first}..{last}"]
    if shows_second:
        lines += subtract(first + step, first)[0]
    lines.append(f"step {step}")
    if first == 1 and step == 1:
        count = last
    else:
        part, span = subtract(last, first)
        lines += part
        if 1 < step < 10:
            part, span, _ = divide(span, step)
            lines += part
        elif step > 1:
            span //= step
            lines.append(f"÷{step}={span}")
        if span % 10 == 9:
            lines += add(span, 1)[0]
        count = span + 1
    lines.append(f"n={count}")
    part, ends = add(first, last)
    lines += part
    part, double = multiply(count, ends)
    lines += part
    part, result, _ = divide(double, 2)
    return lines + part, result
