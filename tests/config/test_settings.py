"""Settings: defaults, sources and errors that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    """An empty home needs no settings file."""
    loaded = settings.load(tmp_path, {})
    assert loaded == settings.Settings()
    assert loaded.library.trash_days == 30


def test_environment_wins_over_file(tmp_path: Path) -> None:
    """The environment is the last word, the file the one before."""
    (tmp_path / "darkroom.toml").write_text("[work]\nslots = 3\ntimeout_s = 9\n")
    loaded = settings.load(tmp_path, {"DARKROOM_WORK__SLOTS": "5", "DARKROOM_HOME": "/x"})
    assert (loaded.work.slots, loaded.work.timeout_s) == (5, 9.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[work]\nslot = 1\n", "no setting work.slot; did you mean slots?"),
        ("[wrok]\n", "no setting wrok; did you mean work?"),
        ("[work]\nslots = -1\n", "setting work.slots:"),
        ("[work\n", "cannot be read as TOML"),
        ('[[roots]]\npath = "/x"\nkin = "foreign"\n', "did you mean kind?"),
    ],
)
def test_mistakes_are_named_with_a_suggestion(tmp_path: Path, text: str, expected: str) -> None:
    """A misspelt or impossible setting is an error that says which and what instead."""
    (tmp_path / "darkroom.toml").write_text(text)
    with pytest.raises(settings.SettingsError, match="(?s)" + expected.replace("?", r"\?")):
        settings.load(tmp_path, {})


def test_every_setting_is_explained() -> None:
    """The explanation stands where the setting is declared."""
    sections = [f.annotation for f in settings.Settings.model_fields.values()]
    for section in [s for s in sections if isinstance(s, type) and issubclass(s, settings.Section)]:
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name} is not explained"


PROVIDER = '[accounts.providers.club]\nissuer = "https://id.example"\nclient_id = "dark"\n'


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    """T77: `..._FILE` names where a secret lies; it is shown by nothing that prints settings."""
    (tmp_path / "darkroom.toml").write_text(PROVIDER)
    (tmp_path / "secret").write_text("canary-4711\n")
    name = "DARKROOM_ACCOUNTS__PROVIDERS__CLUB__CLIENT_SECRET_FILE"
    loaded = settings.load(tmp_path, {name: str(tmp_path / "secret")})
    secret = loaded.accounts.providers["club"].client_secret
    assert secret.get_secret_value() == "canary-4711"
    assert "canary" not in repr(loaded) + str(loaded.model_dump())
    with pytest.raises(settings.SettingsError, match="cannot be read"):
        settings.load(tmp_path, {name: str(tmp_path / "nothing")})


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """T77: a settings file with a secret in it must be its owner's alone, and says how."""
    path = tmp_path / "darkroom.toml"
    path.write_text(PROVIDER + 'client_secret = "canary-4711"\n')
    path.chmod(0o644)
    with pytest.raises(settings.SettingsError, match="chmod 600") as refused:
        settings.load(tmp_path, {})
    assert "canary" not in str(refused.value)
    path.chmod(0o600)
    assert settings.load(tmp_path, {}).accounts.providers["club"].client_id == "dark"


def test_a_mistake_in_one_of_many_is_named(tmp_path: Path) -> None:
    """A misspelt setting of a login provider is told with the right one."""
    (tmp_path / "darkroom.toml").write_text(PROVIDER + "lable = 'x'\n")
    with pytest.raises(settings.SettingsError, match=r"did you mean label\?"):
        settings.load(tmp_path, {})
