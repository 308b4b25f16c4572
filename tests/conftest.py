"""What integration and fault tests share: a running product a module, in a private folder and at a port of the kernel's choice."""

import pytest

from product import Product, Receiver


@pytest.fixture(scope="module")
def product(request):
    with Product() as running:
        yield running
        if request.session.testsfailed:
            running.show_log()


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running
