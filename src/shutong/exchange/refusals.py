"""What this area refuses, in Chinese and English."""

from __future__ import annotations


class ExchangeError(ValueError):
    """Something that can't be asked, answered or changed this way. Nothing was written."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
