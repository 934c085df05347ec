"""A run as files: complete, the same bytes each time, true to the plan, and fit for hostile names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from pypdf import PdfReader

from assortment.errors import AssortmentWarning, ReportError
from assortment.geo import store_profiles
from assortment.inputs import Neighbourhoods
from assortment.optimiser import Costs
from assortment.report import render, save
from assortment.report.names import REPLACEMENT
from assortment.report.pages import file_names

NASTY = (
    "#let x = $a*b$ _u_ *b* `c` @ref <l> \\ // [x]",
    "=1+1",
    "W" * 400,
    "Milk 😀",
    "مرحبا",
    "Tab\there\x07",
    "- list",
)
Maker = Callable[..., Any]


def words(path: Path) -> str:
    """All text of a PDF without spaces, breaks and zero-width spaces, so that line breaks do not matter."""
    text = "".join(page.extract_text() for page in PdfReader(path).pages)
    return "".join(text.replace("\u200b", "").split())


def plain(text: str) -> str:
    return "".join(text.replace("\u200b", "").split())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, made: Maker) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("run of milk")
    run = made()
    save(run, folder)
    return folder, run


def test_every_file_is_written_and_listed(saved: tuple[Path, Any]) -> None:
    """A PDF per store, one for the chain, a workbook, two tables, the page data and the manifest that lists them."""
    folder, run = saved
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    manifest = json.loads((folder / "run.json").read_text())
    assert manifest["files"] == found
    assert {f"stores/{store}.pdf" for store in run.problem.store_ids} < set(found)
    assert {"chain.pdf", "workbook.xlsx", "listings.csv", "changes.csv", "pages.json", "run.json"} < set(found)
    assert manifest["seed"] == 0


def test_the_same_run_gives_the_same_bytes(saved: tuple[Path, Any], tmp_path: Path, made: Maker) -> None:
    """Saving the run again gives byte for byte the same files, but for the time taken in the manifest."""
    folder, _ = saved
    save(made(), tmp_path)
    for path in sorted(folder.rglob("*")):
        if path.name == "run.json":
            first, second = (json.loads(each.read_text()) for each in (path, tmp_path / "run.json"))
            assert first | {"seconds": None} == second | {"seconds": None}
        elif path.is_file():
            assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name


def test_pdfs_can_be_made_again_from_what_was_saved(saved: tuple[Path, Any], tmp_path: Path) -> None:
    """``render`` needs the page data alone and gives the same bytes; one store can be asked for."""
    folder, run = saved
    (tmp_path / "pages.json").write_bytes((folder / "pages.json").read_bytes())
    store = run.problem.store_ids[1]
    (only,) = render(tmp_path, [store])
    assert only.read_bytes() == (folder / "stores" / f"{store}.pdf").read_bytes()
    assert len(render(tmp_path)) == len(run.problem.store_ids) + 1
    assert (tmp_path / "chain.pdf").read_bytes() == (folder / "chain.pdf").read_bytes()


def test_a_folder_without_a_run_and_an_unknown_store_are_named(saved: tuple[Path, Any], tmp_path: Path) -> None:
    """Both are errors of the report that say what is there and what to give."""
    with pytest.raises(ReportError, match=r"holds no pages\.json"):
        render(tmp_path)
    with pytest.raises(ReportError, match="no store S99; its stores are S01"):
        render(saved[0], ["S99"])
    (tmp_path / "pages.json").write_text("{")
    with pytest.raises(ReportError, match="cannot be read"):
        render(tmp_path)


def test_a_page_is_accessible(saved: tuple[Path, Any]) -> None:
    """Every PDF is tagged, says PDF/UA-1, has a title and a language."""
    for path in saved[0].rglob("*.pdf"):
        reader = PdfReader(path)
        root = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"], path.name
        assert root["/Lang"] == "en" and reader.metadata is not None and reader.metadata.title
        assert b"pdfuaid:part" in path.read_bytes()


def test_a_store_page_holds_every_listing_and_every_change(saved: tuple[Path, Any]) -> None:
    """Each product of the plan stands on its store's page with its units; so does each add and drop."""
    folder, run = saved
    names = dict(run.chain.products.frame[["product_id", "name"]].itertuples(index=False))
    for store, rows in run.plan.listings.groupby("store_id"):
        text = words(folder / "stores" / f"{store}.pdf")
        for row in rows.itertuples():
            assert plain(names[row.product_id]) in text and f"{row.units_per_week:,.1f}" in text
        changes = run.plan.changes.query("store_id == @store and action != 'keep'")
        assert len(changes) and all(
            f"{row.action}{plain(names[row.product_id])}" in text for row in changes.itertuples()
        )


def test_a_store_page_answers_in_the_order_agreed(saved: tuple[Path, Any]) -> None:
    """Notes and figures first, then changes, core, who shops here, local, how sure it is, the proof."""
    text = words(saved[0] / "stores" / "S01.pdf")
    parts = [
        "Madeup:",
        "Marginperweek",
        "Whattochange",
        "Core:",
        "Whoshopshere",
        "Local:",
        "Howsurethisis",
        "Status:optimal",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "0.40%" in text and "highspy1.15.1" in text and "Scenariomilk" in text and "2026-03-02" in text
    assert "medianincome" in text and "over65" in text


def test_the_chain_page_holds_stores_rules_and_assumptions(saved: tuple[Path, Any]) -> None:
    """Every store, the rules in words, the evidence for demographics, what was assumed and warned of."""
    text = words(saved[0] / "chain.pdf")
    expected = [
        "StoreS01",
        "StoreS04",
        "Thecorehas4products",
        "Onethingtoknow.",
        "Demographicsforecastbetter",
        "Madeup:",
    ]
    assert all(part in text for part in expected)
    assert "Status:optimal" in text


def test_hostile_names_are_printed_as_they_are(tmp_path: Path, made: Maker) -> None:
    """Typst markup, formulas, control characters, Arabic, a 400-letter word are data; an emoji is replaced and told."""
    run = made(products=20, core=10, names=NASTY, store_names=["#St*re* $x$", "<b>&", "A" * 60, "😀"])
    with pytest.warns(AssortmentWarning, match=r"U\+1F600"):
        save(run, tmp_path)
    reader = PdfReader(tmp_path / "stores" / "S01.pdf")
    text = words(tmp_path / "stores" / "S01.pdf")
    assert plain(NASTY[0]) in text and "=1+1" in text and "W" * 119 + "…" in text and f"Milk{REPLACEMENT}" in text
    assert "Tabhere" in text and "-list" in text and "#St*re*$x$" in text
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert len(json.loads((tmp_path / "run.json").read_text())["replaced_characters"]) == 2


def test_maps_of_hostile_stores_are_well_formed(tmp_path: Path, made: Maker) -> None:
    """The SVG of every page parses, also when a store is called like markup."""
    save(made(store_names=["<svg>", "&amp;", '"', "'"]), tmp_path)
    told = json.loads((tmp_path / "pages.json").read_text())
    for page in [told["chain"], *told["stores"].values()]:
        assert ET.fromstring(page["map"]["svg"]).tag.endswith("svg")
        assert page["map"]["alt"] and page["map"]["source"]


def test_the_map_of_a_ring_shows_its_radius(tmp_path: Path, made: Maker) -> None:
    """The ring is drawn as an outline over the neighbourhoods, and its radius is said."""
    save(made(radius_m=1200.0), tmp_path)
    told = json.loads((tmp_path / "pages.json").read_text())["stores"]["S01"]["map"]
    outline = [
        path
        for path in ET.fromstring(told["svg"]).iter("{http://www.w3.org/2000/svg}path")
        if path.get("fill") == "none"
    ]
    assert len(outline) == 2  # the ring and the scale bar
    assert outline[0].get("d", "").endswith("z")
    assert "radius 1,200 m" in told["source"]


def test_beyond_fifteen_percent_error_no_money_is_claimed(tmp_path: Path, made: Maker) -> None:
    """No forecast of money stands on any page, in the tables or in the workbook, and the page says why."""
    save(made(error=0.16, costs=Costs(listing=0.5)), tmp_path)
    for path in tmp_path.rglob("*.pdf"):
        text = words(path).replace("carriesit:$0.50", "")  # a cost is a setting of the scenario
        amounts = re.findall(r"\$\d[\d,.]*", text)
        assert all(float(amount.strip("$.,").replace(",", "")) > 15_000 for amount in amounts)  # incomes
        assert "notclaimed" in text and "nomoneyisclaimed" in text
    for name, columns in (("listings", ["sales", "margin", "over_stand_in"]), ("changes", ["worth"])):
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert table[[f"{column}_per_week" for column in columns]].isna().all(axis=None)
        assert not table["money_claimed"].any() and len(table)
    assert not pd.read_csv(tmp_path / "changes.csv")["reason"].str.contains(r"\d\.\d\d").any()
    book = pd.read_excel(tmp_path / "workbook.xlsx", sheet_name="Listings", engine="calamine")
    assert book["margin_per_week"].isna().all() and (book["money_claimed"] == "no").all()
    assert book["units_per_week"].notna().all()


def test_just_inside_fifteen_percent_money_is_claimed(tmp_path: Path, made: Maker) -> None:
    """At 14 % below what was sold the margin stands on the page."""
    save(made(error=-0.14), tmp_path)
    assert "$" in words(tmp_path / "stores" / "S01.pdf")


def test_without_sales_to_compare_no_money_is_claimed(tmp_path: Path, made: Maker) -> None:
    """No calibration is no reason to trust money."""
    save(made(calibrated=False), tmp_path)
    text = words(tmp_path / "stores" / "S01.pdf")
    assert "+$" not in text and "–$" not in text and "Nosalesoftoday'slistingtocompare" in text


def test_a_pick_inside_its_interval_is_called_no_evidence(tmp_path: Path, made: Maker) -> None:
    """With attractions hardly known every local pick is tagged; with exact ones none is."""
    vague, exact = tmp_path / "vague", tmp_path / "exact"
    for folder, log_sd in ((vague, 3.0), (exact, 0.0)):
        folder.mkdir()
        save(made(log_sd=log_sd), folder)
    tags = pd.read_csv(vague / "listings.csv").query("role == 'local'")["evidence"]
    assert (tags == "no evidence").all()
    assert words(vague / "stores" / "S01.pdf").count("noevidence") == 3 + 1  # three picks and the explanation
    assert "noevidence" not in words(exact / "stores" / "S01.pdf")


def test_a_store_without_changes_says_so(tmp_path: Path, made: Maker) -> None:
    """Zero changes are said in words, not by an empty table."""
    save(made(changes=False), tmp_path)
    assert "Nothingtochange" in words(tmp_path / "stores" / "S01.pdf")


def test_without_a_listing_of_today_nothing_is_called_a_change(tmp_path: Path, made: Maker) -> None:
    """No add or drop is made up where today's shelf is not known."""
    save(made(listing=False), tmp_path)
    text = words(tmp_path / "stores" / "S01.pdf")
    assert "NolistingoftodaywasGiven".lower() in text.lower() and "+add" not in text
    assert pd.read_csv(tmp_path / "changes.csv").empty


def test_classes_of_shoppers_are_shown_against_the_chain(tmp_path: Path, made: Maker) -> None:
    """With four classes the page shows the mix; with one it does not."""
    save(made(classes=4), tmp_path)
    text = words(tmp_path / "stores" / "S02.pdf")
    assert all(f"class{number}" in text for number in range(1, 5))


def test_a_value_is_shown_with_its_margin_of_error(tmp_path: Path, made: Maker) -> None:
    """Where the neighbourhoods have margins, in the unit and digits of the value; only what has one bears a ±."""
    run = made()
    homes = run.chain.neighbourhoods
    frame = homes.frame.assign(people_moe=150.0, median_income_moe=0.01)
    with_margins = Neighbourhoods.from_frame(frame, counts=homes.counts, rates=homes.rates)
    run.profiles = store_profiles(run.areas, with_margins)
    save(run, tmp_path)
    told = {row["label"]: row for row in json.loads((tmp_path / "pages.json").read_text())["stores"]["S01"]["people"]}
    assert re.fullmatch(r"\$[\d,]+\u00a0±\u00a0\$[\d,]+", told["median income"]["store"])
    assert "±" not in told["over 65"]["store"] + told["median income"]["chain"]
    assert "marginoferror" in words(tmp_path / "stores" / "S01.pdf")


def test_one_store_in_one_neighbourhood_and_no_bound_is_a_page_too(tmp_path: Path, made: Maker) -> None:
    """The smallest chain prints, and an unproven plan is not called proven."""
    save(made(stores=1, side=1, bounded=False), tmp_path)
    assert "nothingisproven" in words(tmp_path / "stores" / "S01.pdf")
    assert "notproven" in words(tmp_path / "chain.pdf")


def test_a_large_store_stays_within_two_pages(tmp_path: Path, made: Maker) -> None:
    """45 products, 20 of them core, fit on two pages, with their money and costs."""
    save(made(products=60, core=20, local=25, stores=2, side=6, costs=Costs(listing=0.5)), tmp_path)
    assert len(PdfReader(tmp_path / "stores" / "S01.pdf").pages) == 2


def test_progress_counts_to_the_end(tmp_path: Path, made: Maker) -> None:
    """Progress rises one by one to its total."""
    seen: list[tuple[int, int]] = []
    save(made(stores=2), tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 5) for done in range(1, 6)]


def test_a_page_that_the_standard_refuses_is_made_untagged_with_a_warning(
    saved: tuple[Path, Any], tmp_path: Path
) -> None:
    """A character without glyph that got into the page data costs the tags, not the page."""
    told = json.loads((saved[0] / "pages.json").read_text())
    told["stores"]["S01"]["title"] = "Shop 😀"
    (tmp_path / "pages.json").write_text(json.dumps(told))
    with pytest.warns(AssortmentWarning, match="not accessible"):
        (path,) = render(tmp_path, ["S01"])
    assert "Whattochange" in words(path)
    assert "/MarkInfo" not in PdfReader(path).trailer["/Root"]


def test_file_names_are_safe_and_told_apart() -> None:
    """Slashes, dots and formulas leave the name; ids that differ by case or by such letters get files of their own."""
    names = file_names(["a/b", "a b", "A_B", "..", "=1", "007", ""])
    assert len({name.lower() for name in names.values()}) == len(names)
    assert all("/" not in name and not name.startswith(".") for name in names.values())
    assert names["007"] == "007.pdf"
