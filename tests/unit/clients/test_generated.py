"""What is generated for the clients is committed: nobody needs the generator to use them."""

from pathlib import Path

from clients import generate


def test_the_models_are_what_the_description_generates(tmp_path: Path) -> None:
    made = tmp_path / "models.py"
    generate.write_models(generate.client_schemas(), made)
    assert generate.MODELS.read_text() == made.read_text(), "run `make clients` and commit it"


def test_the_client_that_blocks_is_made_from_the_one_that_awaits() -> None:
    assert generate.CLIENT.read_text() == generate.blocking_client(), "run `make clients`"
    assert "async" not in generate.CLIENT.read_text()
    assert "await" not in generate.CLIENT.read_text()
