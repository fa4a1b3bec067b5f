"""What must never leave: our secrets, keys of others, e-mail addresses and phone numbers, in text and in nested data.

Used on everything that goes to a trace, an error message or a log, and by agents on free text before a prompt. It is for free text, not for
ids: a platform account id such as 123-456-7890 reads like a phone number.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from marketing_agents.settings import Settings

SECRET = "[secret]"  # noqa: S105 - the mask, not a secret
EMAIL = "[email]"
PHONE = "[phone]"

# Shorter values would blank out ordinary words wherever they occur.
_SHORTEST_SECRET = 6

_KEY_LIKE = re.compile(
    r"""
      AIza[0-9A-Za-z_-]{30,}                      # Google API keys
    | AQ\.[0-9A-Za-z_-]{20,}                      # Google authorization keys
    | ya29\.[0-9A-Za-z_-]{10,}                    # Google OAuth tokens
    | \b[ps]k-lf-[0-9A-Za-z-]{8,}                 # Langfuse
    | \bsk-[0-9A-Za-z_-]{20,}                     # other model providers
    | \bgh[pousr]_[0-9A-Za-z]{20,}                # GitHub
    | \beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*   # JSON web tokens
    | (?<=Bearer\ )[0-9A-Za-z._~+/=-]{8,}
    | (?<=Basic\ )[0-9A-Za-z+/=]{8,}
    | (?<=://)[^\s/@:]+:[^\s/@]+(?=@)             # user:password in an address
    | -----BEGIN[A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
# Bounded (RFC 5321 allows 64 and 63): hostile text must not make the search quadratic.
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(
    r"""
    (?<![\w.,/+-])(?:
      (?:\+|00)[1-9](?:[\s().-]{0,2}\d){8,13}     # international
    | \(\d{2,4}\)[\s.-]?\d{3,4}[\s.-]?\d{3,4}     # (212) 555-0100
    | \d{3}[.\s-]\d{3}[.\s-]\d{4}                 # 212-555-0100
    | 0\d{1,4}[\s-]\d{3,4}[\s-]?\d{3,4}           # 020 7946 0958
    )(?![\w-]|[.,]\d)
    """,
    re.VERBOSE,
)


def mask_personal_data(text: str) -> str:
    """The text with e-mail addresses and phone numbers replaced. Dates, money and plain ids stay."""
    return _PHONE.sub(PHONE, _EMAIL.sub(EMAIL, text))


class Masker:
    """Masks known secrets, key-like strings and personal data."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                known |= {secret, quote(secret, safe="")}
        # Longest first: a secret that contains another must go as a whole.
        self._known = re.compile("|".join(re.escape(s) for s in sorted(known, key=lambda s: (-len(s), s)))) if known else None

    def text(self, value: str) -> str:
        """The text without secrets and personal data."""
        return mask_personal_data(self.secrets(value))

    def secrets(self, value: str) -> str:
        """The text without secrets; personal data stays."""
        if self._known is not None:
            value = self._known.sub(SECRET, value)
        return _KEY_LIKE.sub(SECRET, value)

    def data(self, value: Any) -> Any:
        """A masked copy of nested mappings, lists, tuples and text; numbers and None are returned as they are.

        Anything else becomes its masked text: an object whose fields cannot be seen must not pass unmasked.
        """
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return self.text(str(value))


def masker_of(settings: Settings) -> Masker:
    """A masker that knows every secret of the settings, also in the form that Basic authentication sends."""
    secrets = [
        secret.get_secret_value()
        for secret in (settings.gemini_api_key, settings.langfuse_public_key, settings.langfuse_secret_key, settings.state_url)
        if secret is not None
    ]
    if settings.langfuse_public_key is not None and settings.langfuse_secret_key is not None:
        pair = f"{settings.langfuse_public_key.get_secret_value()}:{settings.langfuse_secret_key.get_secret_value()}"
        secrets.append(base64.b64encode(pair.encode()).decode())
    return Masker(secrets)
