import io
import random
import stat
import subprocess
import tarfile
import zipfile
from types import SimpleNamespace

import pytest

from sqladder.downloads.archives import is_archive, unpack
from sqladder.errors import InputError

FILES = {"database/a/a.sqlite": b"x" * 5000, "database/b/b.sqlite": b"y", "README": b"z"}


def make_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.zip", make_zip),
        ("a.tar.gz", make_tar),
        ("a.tar.xz", lambda p, f: make_tar(p, f, "w:xz")),
    ],
)
def test_an_archive_is_unpacked_as_it_is(tmp_path, name, make):
    assert is_archive(tmp_path / name)
    assert unpack(make(tmp_path / name, FILES), tmp_path / "out") == 3
    assert content(tmp_path / "out") == FILES


def link_in_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good", "x")
        member = zipfile.ZipInfo("link")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return path


def link_in_tar(path):
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = tarfile.SYMTYPE, "../../outside"
        archive.addfile(member)
    return path


def device_in_tar(path):
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("device")
        member.type = tarfile.CHRTYPE
        archive.addfile(member)
    return path


def inner_link_in_tar(path, kind):
    with tarfile.open(path, "w") as archive:
        for name in ("good", "again"):
            member = tarfile.TarInfo(name)
            if name == "again":
                member.type, member.linkname = kind, "good"
            archive.addfile(member)
    return path


def sparse_tar(path, form):
    """A file of 1 GB of which 5 bytes are stored, as GNU tar writes it."""
    content = path.with_name("sparse.sqlite")
    with content.open("wb") as file:
        file.truncate(10**9)
        file.write(b"bytes")
    subprocess.run(
        ["tar", "-C", path.parent, "--sparse", f"--format={form}", "-cf", path, content.name],
        check=True,
    )
    content.unlink()
    return path


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_a_tar_that_unpacks_to_more_than_it_holds_is_refused_by_name(tmp_path, form):
    archive = sparse_tar(tmp_path / "a.tar", form)
    assert archive.stat().st_size < 10**5
    with pytest.raises(InputError, match=r"a.tar .*its member 'sparse.sqlite' is a sparse file"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_inside_of_a_tar_is_refused_by_name(tmp_path, kind):
    archive = inner_link_in_tar(tmp_path / "a.tar", kind)
    with pytest.raises(InputError, match=r"its member 'again' is a link or device"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: make_zip(folder / "a.zip", {"good": b"", "../../outside": b"x"}),
        lambda folder: make_zip(folder / "a.zip", {"good": b"", "x/../../outside": b"x"}),
        lambda folder: make_zip(folder / "a.zip", {"..\\outside": b"x"}),
        lambda folder: make_zip(folder / "a.zip", {str(folder / "outside"): b"x"}),
        lambda folder: make_zip(folder / "a.zip", {"C:/outside": b"x"}),
        lambda folder: link_in_zip(folder / "a.zip"),
        lambda folder: make_tar(folder / "a.tar.gz", {"good": b"", "../../outside": b"x"}),
        lambda folder: link_in_tar(folder / "a.tar"),
        lambda folder: device_in_tar(folder / "a.tar"),
    ],
)
def test_a_member_that_leaves_the_folder_is_refused_and_nothing_is_kept(tmp_path, make):
    inner = tmp_path / "deep" / "er"
    inner.mkdir(parents=True)
    archive = make(inner)
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(archive, inner / "out")
    assert [path.name for path in inner.iterdir()] == [archive.name]
    assert not list(tmp_path.rglob("outside"))


def test_a_zip_may_name_its_own_folder(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"./": b"", "./good": b"x"})
    assert unpack(archive, tmp_path / "out") == 1
    assert (tmp_path / "out/good").read_bytes() == b"x"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(("name", "make"), [("a.zip", make_zip), ("a.tar.gz", make_tar)])
def test_half_an_archive_is_refused_and_nothing_is_kept(tmp_path, name, make, share):
    files = {**FILES, "noise": random.Random(0).randbytes(50_000)}
    archive = make(tmp_path / name, files)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_damaged_byte_is_found_by_the_archives_own_checksum(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"noise": random.Random(0).randbytes(50_000)})
    data = bytearray(archive.read_bytes())
    data[20_000] ^= 1
    archive.write_bytes(data)
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "make"), [("a.zip", make_zip), ("a.tar.gz", make_tar)])
def test_an_archive_larger_than_the_disk_is_refused_before_it_is_written(
    tmp_path, monkeypatch, name, make
):
    archive = make(tmp_path / name, {"bomb": bytes(10_000_000)})
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(InputError, match=r"holds 0.010 GB unpacked, but only 0.001 GB are free"):
        unpack(archive, tmp_path / "out")
