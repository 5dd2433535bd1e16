"""What nvidia-smi and CUDA_VISIBLE_DEVICES say, read as CUDA reads it."""

import pytest

import fake_gpus
from sqladder.errors import InputError
from sqladder.processes import gpu_devices
from sqladder.processes.gpu_devices import Device, installed_devices, usable_devices

FOUR = [Device(str(i), f"GPU-{i:08x}-aaaa", "NVIDIA H200") for i in range(4)]


@pytest.fixture(autouse=True)
def no_outer_list(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)


def ids(devices):
    return [device.id for device in devices]


def test_devices_are_read_from_nvidia_smi(tmp_path, monkeypatch):
    rows = [fake_gpus.row(0, 17), fake_gpus.row(1, 0, "NVIDIA H100, 80GB")]
    monkeypatch.setenv("PATH", str(fake_gpus.install(tmp_path, *rows)), prepend=":")
    assert installed_devices() == [
        Device("0", "GPU-00000000-aaaa", "NVIDIA H200", 17),
        Device("1", "GPU-00000001-aaaa", "NVIDIA H100, 80GB", 0),
    ]


def test_a_card_without_memory_of_its_own_is_read(tmp_path, monkeypatch):
    row = "0, GPU-00000000-aaaa, [N/A], NVIDIA GB10"
    monkeypatch.setenv("PATH", str(fake_gpus.install(tmp_path, row)), prepend=":")
    assert installed_devices()[0].used_mib == 0


def test_a_machine_without_nvidia_smi_does_not_say_what_it_has(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_devices() is None
    assert usable_devices(None) == []


@pytest.mark.parametrize(("status", "driver"), [(6, True), (9, False)])
def test_nvidia_smi_that_finds_nothing_means_no_gpu(tmp_path, monkeypatch, status, driver):
    programs = fake_gpus.install(tmp_path, "No devices were found", status=status)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(gpu_devices, "DRIVER", tmp_path if driver else tmp_path / "absent")
    assert installed_devices() == []


def test_a_driver_that_fails_is_no_machine_without_gpus(tmp_path, monkeypatch):
    programs = fake_gpus.install(tmp_path, "Unable to determine the device handle", status=15)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(gpu_devices, "DRIVER", tmp_path)
    with pytest.raises(InputError, match=r"device handle.*CUDA_VISIBLE_DEVICES= \(empty\)"):
        installed_devices()


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("2,0", ["2", "0"]),
        (" 1 , 3 ", ["1", "3"]),
        ("GPU-00000003-aaaa", ["3"]),
        ("GPU-00000002", ["2"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),
        ("NoDevFiles", []),
        ("MIG-1,MIG-2", ["MIG-1", "MIG-2"]),
    ],
)
def test_the_list_restricts_and_orders(monkeypatch, listed, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert ids(usable_devices(FOUR)) == expected


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("4", r"names '4', but this machine has the GPUs 0 \(GPU-00000000-aaaa\), 1 "),
        ("GPU-0000000", "names 'GPU-0000000'"),
        ("banana", "names 'banana'"),
        ("0,GPU-00000000-aaaa", "names a device twice"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(monkeypatch, listed, message):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    with pytest.raises(InputError, match=message):
        usable_devices(FOUR)


def test_a_list_alone_names_devices_where_there_is_no_nvidia_smi(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert usable_devices(None) == [Device("0", "0"), Device("1", "1")]


def test_a_list_on_a_machine_without_gpus_names_none(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert usable_devices([]) == []


def test_indices_of_unequal_cards_need_an_order(monkeypatch):
    cards = [Device("0", "GPU-a", "NVIDIA T4"), Device("1", "GPU-b", "NVIDIA H200")]
    assert ids(usable_devices(cards)) == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(InputError, match="CUDA_DEVICE_ORDER=PCI_BUS_ID"):
        usable_devices(cards)
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    assert ids(usable_devices(cards)) == ["0"]
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-b")
    assert ids(usable_devices(cards)) == ["1"]
