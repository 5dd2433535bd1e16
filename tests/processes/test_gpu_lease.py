"""Who is given which device, and in what order. The locks themselves: tests/processes/test_lease_gpus.py."""

import pytest

from sqladder.processes.gpu_lease import Request, choose


def request(wanted, count, held=()):
    return Request(
        wanted=list(wanted),
        count=count,
        user="someone",
        pid=1,
        folder="/somewhere",
        command="train",
        since="today",
        held=list(held),
    )


def test_free_devices_are_given_in_the_order_of_preference():
    assert choose("dcba", 2, []) == ["d", "c"]


def test_a_held_device_is_not_given_again():
    assert choose("abc", 1, [request("a", 1, held="a")]) == ["b"]


def test_too_few_free_devices_give_none_at_all():
    # Never some of them: a job that held one while it waited for another could wait for ever.
    assert choose("abc", 2, [request("abc", 2, held="ab")]) == []


def test_a_job_that_needs_many_is_not_overtaken_for_ever():
    before = [request("abcd", 1, held="a"), request("abcd", 4)]
    assert choose("abcd", 1, before) == []


def test_who_waits_for_other_devices_is_in_nobodys_way():
    before = [request("ab", 2, held="ab"), request("ab", 1)]
    assert choose("cd", 1, before) == ["c"]


def test_an_earlier_request_that_can_be_served_takes_no_more_than_it_needs():
    before = [request("abc", 1)]
    assert choose("abc", 1, before) == ["b"]
    assert choose("abc", 2, before) == ["b", "c"]
    assert choose("abc", 3, before) == []


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_of_waiting_jobs_the_first_always_gets_its_devices_when_all_are_free(count):
    assert choose("abcd", count, []) == list("abcd")[:count]
