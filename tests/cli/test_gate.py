"""Gate: static pages are held, whole sites are written, and nothing is written unasked."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import brotli
import pytest

from consent_server.demo import site_files
from consent_server.rewriting import plan_from_site_file

from .conftest import Consent

_TAG = b'<script async src="/w/smilee.js"></script>'
_PIXEL = b"https://www.facebook.com/tr?id=1"
_PAGE = b"<!doctype html><html><head></head><img src=%s><img src=%s></html>" % (_PIXEL, _PIXEL)
_HELD = b'<img data-consent="service:meta-pixel" data-consent-src=%s>' % _PIXEL


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A static site: two pages with trackers, one without, one that cannot be read, a style."""
    folder = tmp_path / "public"
    (folder / "blog").mkdir(parents=True)
    (folder / "index.html").write_bytes(_PAGE)
    (folder / "blog" / "ONE.HTM").write_bytes(_PAGE.replace(b"<img", b"\xe5<img", 1))
    (folder / "part.html").write_bytes(b"<li>One</li>")
    (folder / "wide.html").write_bytes("<!doctype html>".encode("utf-32-be"))
    (folder / "site.css").write_bytes(b"a{}")
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def _is_held(page: bytes) -> bool:
    return page.count(_HELD) == 2 and page.count(_TAG) == 1


def test_without_a_target_it_only_says_what_it_would_hold(consent: Consent, pages: Path) -> None:
    before = _contents(pages)
    result = consent("gate", "--site", "smilee", pages)
    assert result.exit_code == 0, result.output
    assert f"{pages / 'index.html'}: tag put in\n  meta-pixel: 2 img\n" in result.output
    assert "wide.html: left as it is, its encoding" in result.output
    assert "SERVICE     HELD  PAGES\nmeta-pixel  4     2\n" in result.output
    assert "4 pages read, 2 of them changed." in result.output
    assert "Nothing was written." in result.output
    assert _contents(pages) == before


def test_in_place_it_changes_the_pages_with_trackers_and_once_is_enough(
    consent: Consent, pages: Path
) -> None:
    before = _contents(pages)
    (pages / "index.html").chmod(0o640)
    result = consent("gate", "--site", "smilee", "--in-place", pages)
    assert result.exit_code == 0, result.output
    after = _contents(pages)
    assert {name for name in after if after[name] != before[name]} == {"index.html", "blog/ONE.HTM"}
    assert _is_held(after["index.html"])
    assert b"\xe5" + _HELD in after["blog/ONE.HTM"], "bytes that are no UTF-8 stay"
    assert (pages / "index.html").stat().st_mode & 0o777 == 0o640
    again = consent("gate", "--site", "smilee", "--in-place", pages)
    assert "4 pages read, 0 of them changed." in again.output
    assert _contents(pages) == after


def test_modules_that_import_from_a_service_are_changed_and_told_of(
    consent: Consent, pages: Path
) -> None:
    own = b'import "https://connect.facebook.net/x.js";'
    (pages / "app.mjs").write_bytes(own)
    (pages / "other.js").write_bytes(b"var own;")
    result = consent("gate", "--site", "smilee", "--in-place", pages)
    assert f"{pages / 'app.mjs'}:\n  meta-pixel: 1 module\n" in result.output
    assert "4 pages read, 2 of them changed.\nModules changed: 1." in result.output
    written = _contents(pages)
    assert written["app.mjs"].startswith(b'await consentImport("service:meta-pixel",')
    assert written["other.js"] == b"var own;"
    again = consent("gate", "--site", "smilee", "--in-place", pages)
    assert "4 pages read, 0 of them changed.\n" in again.output
    assert _contents(pages) == written


def test_compressed_copies_are_held_like_their_pages(
    consent: Consent, pages: Path, tmp_path: Path
) -> None:
    (pages / "index.html.gz").write_bytes(gzip.compress(_PAGE))
    (pages / "index.html.br").write_bytes(brotli.compress(_PAGE))
    own = b'import "https://connect.facebook.net/x.js";'
    (pages / "app.js.gz").write_bytes(gzip.compress(own))
    (pages / "other.js.gz").write_bytes(gzip.compress(b"var own;"))
    (pages / "broken.html.br").write_bytes(brotli.compress(_PAGE)[1:])
    (pages / "index.html.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    (pages / "data.tar.gz").write_bytes(gzip.compress(_PAGE))
    before = _contents(pages)
    output = tmp_path / "out"
    result = consent("gate", "--site", "smilee", "--output", output, pages)
    assert result.exit_code == 0, result.output
    assert "4 pages read, 2 of them changed.\nCompressed copies changed: 3.\n" in result.output
    for name in ("index.html.zst", "broken.html.br"):
        assert f"{name}: left as it is, it is " in result.output
    for folder in (output, pages):
        written = _contents(folder)
        assert _is_held(gzip.decompress(written["index.html.gz"]))
        assert _is_held(brotli.decompress(written["index.html.br"]))
        assert gzip.decompress(written["app.js.gz"]).startswith(b"await consentImport(")
        assert gzip.decompress(written["other.js.gz"]) == b"var own;"
        assert written["data.tar.gz"] == before["data.tar.gz"]
        consent("gate", "--site", "smilee", "--in-place", pages)
    assert not {"index.html.zst", "broken.html.br"} & set(_contents(output))
    assert _contents(pages)["other.js.gz"] == before["other.js.gz"]


def test_a_page_in_utf_16_is_held_by_its_mark(consent: Consent, pages: Path) -> None:
    (pages / "wide.html").write_bytes(_PAGE.decode().encode("utf-16"))
    assert consent("gate", "--site", "smilee", "--in-place", pages).exit_code == 0
    assert _is_held((pages / "wide.html").read_bytes().decode("utf-16").encode())


def test_to_a_folder_it_writes_the_whole_site(
    consent: Consent, pages: Path, tmp_path: Path
) -> None:
    before = _contents(pages)
    output = tmp_path / "out"
    result = consent("gate", "--site", "smilee", "--output", output, pages)
    assert result.exit_code == 0, result.output
    written = _contents(output)
    assert set(written) == set(before)
    assert _is_held(written["index.html"])
    assert {n: written[n] for n in ("part.html", "wide.html", "site.css")} == {
        n: before[n] for n in ("part.html", "wide.html", "site.css")
    }
    assert _contents(pages) == before


def test_a_folder_that_holds_the_site_is_no_target(consent: Consent, pages: Path) -> None:
    result = consent("gate", "--site", "smilee", "--output", pages, pages)
    assert result.exit_code == 1
    assert "Choose a folder of its own for --output." in result.output


def test_a_folder_inside_the_site_is_no_target_the_first_time_either(
    consent: Consent, pages: Path
) -> None:
    before = _contents(pages)
    result = consent("gate", "--site", "smilee", "--output", pages / "out", pages)
    assert result.exit_code == 1
    assert "the next run would read it as a part of the site" in result.output
    assert _contents(pages) == before


def test_the_site_itself_is_no_target_by_another_spelling(
    consent: Consent, pages: Path, tmp_path: Path
) -> None:
    before = _contents(pages)
    (tmp_path / "link").symlink_to(pages)
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "blog").symlink_to(pages / "blog")
    for output in (pages / "blog" / "..", tmp_path / "link", tmp_path / "half"):
        result = consent("gate", "--site", "smilee", "--output", output, pages)
        assert result.exit_code == 1
        assert "Choose a folder of its own for --output" in result.output
    assert _contents(pages) == before


def _add_links(pages: Path) -> Path:
    """Put links to a page, to a folder and to nothing into a site; return the page."""
    outside = pages.parent / "outside"
    outside.mkdir()
    (outside / "page.html").write_bytes(_PAGE)
    (pages / "linked.html").symlink_to(outside / "page.html")
    (pages / "folder").symlink_to(outside)
    (pages / "broken.html").symlink_to("nowhere.html")
    return outside / "page.html"


def test_to_a_folder_linked_files_are_written_and_what_is_left_out_is_told(
    consent: Consent, pages: Path, tmp_path: Path
) -> None:
    behind = _add_links(pages)
    dist = tmp_path / "dist"
    result = consent("gate", "--site", "smilee", "--output", dist, pages)
    assert result.exit_code == 0, result.output
    assert f"{pages / 'folder'}: left as it is, it is a link to a folder" in result.output
    assert f"{pages / 'broken.html'}: left as it is, there is no file behind" in result.output
    assert "5 pages read, 3 of them changed." in result.output
    assert _is_held((dist / "linked.html").read_bytes())
    assert not (dist / "linked.html").is_symlink()
    assert behind.read_bytes() == _PAGE


def test_in_place_links_stay_links_and_are_told(consent: Consent, pages: Path) -> None:
    behind = _add_links(pages)
    result = consent("gate", "--site", "smilee", "--in-place", pages)
    assert result.exit_code == 0, result.output
    assert f"{pages / 'linked.html'}: left as it is, it is a link: name" in result.output
    assert (pages / "linked.html").is_symlink()
    assert behind.read_bytes() == _PAGE
    assert consent("gate", "--site", "smilee", "--in-place", pages / "linked.html").exit_code == 0
    assert (pages / "linked.html").is_symlink()
    assert _is_held(behind.read_bytes())


def test_both_targets_at_once_are_refused(consent: Consent, pages: Path, tmp_path: Path) -> None:
    result = consent("gate", "--site", "smilee", "--in-place", "--output", tmp_path / "o", pages)
    assert result.exit_code == 2


def test_a_site_file_and_a_version_file_need_no_database(
    consent: Consent, pages: Path, tmp_path: Path, client: object
) -> None:
    [file] = [file for file in site_files() if file.stem == "smilee"]
    by_key = consent("gate", "--site", "smilee", pages).output
    assert consent("gate", "--site", file, pages).output == by_key
    version = tmp_path / "version.json"
    get = client.get  # type: ignore[attr-defined]
    answer = get("/w/smilee/versions/1", headers={"Accept": "application/json"})
    version.write_bytes(answer.data)
    assert consent("gate", "--site", version, pages).output == by_key
    version.write_text(json.dumps({"no": "version"}))
    wrong = consent("gate", "--site", version, pages)
    assert wrong.exit_code == 1
    assert "is not a version of a site" in wrong.output


def test_the_script_address_and_strictness_can_be_chosen(consent: Consent, tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(b"<!doctype html><img src=https://elsewhere.example/a.gif>")
    url = "https://consent.example/w/smilee.js"
    options = ("--site", "smilee", "--script-url", url, "--strict", "--in-place")
    result = consent("gate", *options, page)
    assert "unlisted: 1 img" in result.output
    assert b'src="https://consent.example/w/smilee.js"' in page.read_bytes()
    assert b'data-consent="unlisted"' in page.read_bytes()


def test_an_unknown_site_is_told(consent: Consent, pages: Path) -> None:
    result = consent("gate", "--site", "nobody", pages)
    assert result.exit_code == 1
    assert "nobody" in result.output


def test_a_plan_from_a_file_and_from_the_database_are_the_same_services() -> None:
    [file] = [file for file in site_files() if file.stem == "smilee"]
    plan = plan_from_site_file(file, "/w/smilee.js")
    assert {service["key"] for service in plan.services} >= {"meta-pixel", "google-analytics"}
