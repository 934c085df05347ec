"""Numbers, money and demographics as the pages print them."""

from __future__ import annotations

import pytest

from assortment.report import demographics
from assortment.report.numbers import counted, money, number, percent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(1234567.8), "1,234,568"),
        (number(-0.004, 2, signed=True), "0.00"),
        (number(2.5, 1, signed=True), "+2.5"),
        (number(float("nan")), "unknown"),
        (number(None), "unknown"),
        (money(-1234.5, "USD", 2), "–$1,234.50"),
        (money(12, "EUR", signed=True), "+€12"),
        (money(12, "CHF"), "CHF\xa012"),
        (money(float("inf"), "USD"), "unknown"),
        (percent(0.1234, 1), "12.3\xa0%"),
        (counted(1, "store"), "1 store"),
        (counted(1200, "store"), "1,200 stores"),
        (demographics.label("over_65 / people"), "over 65"),
        (demographics.label("in_poverty / poverty_base"), "in poverty per poverty base"),
        (demographics.label("median_income"), "median income"),
        (demographics.value("median_income", 46518.2, "USD"), "$46,518"),
        (demographics.value("over_65 / people", 0.1234, "USD"), "12.3\xa0%"),
        (demographics.value("household_size", 2.456, "USD"), "2.46"),
        (demographics.spoken("median_income", 37104.0, "USD"), "a median income of $37,104"),
        (demographics.spoken("average_rent", 900.0, "EUR"), "an average rent of €900"),
        (demographics.spoken("over_65 / people", 0.1, "USD"), "10.0\xa0% over 65"),
    ],
)
def test_a_number_reads_as_a_reader_expects(text: str, expected: str) -> None:
    """Thousands separators, signs, units, currencies; what is not known is called so."""
    assert text == expected
