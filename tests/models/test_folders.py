"""Model folders are taken whole, from wherever their files lie."""

import toy_models
from sqladder.models.folders import check_model_folder, link_files


def test_a_snapshot_of_links_is_taken_as_the_files_that_it_names(tmp_path):
    blobs = toy_models.save_base(tmp_path / "blobs")
    snapshot, copy = tmp_path / "snapshots" / "a1b2", tmp_path / "model"
    snapshot.mkdir(parents=True)
    copy.mkdir()
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    link_files(snapshot, copy)
    assert not any(path.is_symlink() for path in copy.iterdir())
    for path in snapshot.iterdir():
        path.unlink()
    check_model_folder(copy, "model")
    assert {path.name for path in copy.iterdir()} == {path.name for path in blobs.iterdir()}


def test_a_copy_has_no_part_in_how_old_its_source_is(tmp_path):
    base, copy = tmp_path / "base", tmp_path / "model"
    base.mkdir()
    copy.mkdir()
    for name in (".snakemake_timestamp", "config.json"):
        (base / name).touch()
    link_files(base, copy)
    assert [path.name for path in copy.iterdir()] == ["config.json"]
