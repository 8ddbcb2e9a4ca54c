"""Delimited text of any usual encoding, separator and line end, read line by line."""

import codecs
import csv
import io
from collections import Counter

from django.utils.translation import gettext_lazy as _

from .problems import UnusableFile
from .reading import Row, Table
from .values import fold

SEPARATORS = (",", ";", "\t", "|")
# Below the limit of the csv module for one cell.
LONGEST_LINE = 100 * 1024
LONGEST_RECORD_LINES = 60
_ASCII = bytes(range(128))
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What French and English texts are made of beyond ASCII; everything else speaks against an encoding.
_USUAL = set("éèêëàâäçîïôöùûüÿœæÉÈÊËÀÂÄÇÎÏÔÖÙÛÜŒÆ«»’‘“”…–—€£°·•ñÑáíóúß\u00a0²³ºª©®™")


class TextTable(Table):
    """A CSV file. Encoding and separator are found out once, when opened."""

    def __init__(self, file):
        self.file = file
        self.encoding, self.estimated_rows = detect_encoding(file)
        self.separator, self.first_line = self._detect_separator()

    def rows(self):
        """Rows with the number of the line they start on; blank lines are passed over."""
        lines = self._lines()
        number, waiting = 0, []
        while True:
            text = waiting.pop(0) if waiting else next(lines, None)
            if text is None:
                return
            number += 1
            if number < self.first_line or not text.strip("\r\n\x00 "):
                continue
            if '"' not in text:
                yield Row(number, text.rstrip("\r\n").split(self.separator))
                continue
            start, taken = number, [text]
            cells = _whole_record(taken, self.separator)
            while cells is None and len(taken) < LONGEST_RECORD_LINES:
                more = waiting.pop(0) if waiting else next(lines, None)
                if more is None:
                    break
                taken.append(more)
                cells = _whole_record(taken, self.separator)
            if cells is None:
                # Nobody closes this quote: only the line that opens it is lost, the others are read again.
                waiting = taken[1:] + waiting
                yield Row(start, taken[0].rstrip("\r\n").split(self.separator), "quote_open")
                continue
            number += len(taken) - 1
            yield Row(start, cells)

    def _lines(self):
        self.file.seek(0)
        text = io.TextIOWrapper(_Unclosable(self.file), encoding=self.encoding, errors="replace", newline="")
        try:
            while line := text.readline(LONGEST_LINE):
                if len(line) >= LONGEST_LINE and not line.endswith(("\n", "\r")):
                    raise UnusableFile(
                        _("A line of the file never ends: this is not a table. Export it again as CSV or XLSX."),
                        code="not_a_table",
                    )
                yield line
        finally:
            text.detach()

    def _detect_separator(self):
        """The separator that cuts the first lines most evenly, and the line the table starts on."""
        sample = []
        for line in self._lines():
            sample.append(line)
            if len(sample) >= 60:
                break
        if sample and fold(sample[0]).startswith("sep=") and len(sample[0].strip()) == 5:
            return sample[0].strip()[-1], 2
        return max(SEPARATORS, key=lambda separator: _evenness(sample, separator)), 1


def _whole_record(lines, separator):
    """The cells of a record, or None while a quote is still open."""
    try:
        return next(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as exc:
        if "unexpected end" in str(exc):
            return None
        # A quote in the middle of a cell, against the rules but common: "5"" screen" written as "5" screen".
        return next(csv.reader(lines, delimiter=separator)) if len(lines) == 1 else None


def _evenness(lines, separator):
    widths = Counter(
        len(cells)
        for cells in csv.reader(lines, delimiter=separator)
        if len(cells) > 1 and any(c.strip() for c in cells)
    )
    if not widths:
        return (0, 0)
    width, times = widths.most_common(1)[0]
    return (times * min(width, 12), width)


def detect_encoding(file):
    """The encoding of a text, from all of its bytes, and about how many lines it has."""
    file.seek(0)
    head = file.read(4)
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, _count(file)[0]
    file.seek(0)
    sample = file.read(4096)
    nuls = sample.count(0)
    if nuls:
        encoding = "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
        if nuls * 3 < len(sample):
            raise UnusableFile(_("This is not a text file. Bring the CSV or XLSX export."), code="not_a_table")
        return encoding, _count(file)[0]
    lines, is_utf8, high = _count(file)
    if is_utf8:
        return "utf-8", lines
    return max(("cp1252", "latin-1", "mac_roman"), key=lambda name: _plausibility(high, name)), lines


def _count(file):
    """Lines, whether all bytes are UTF-8, and how often each byte beyond ASCII occurs."""
    file.seek(0)
    feeds = returns = 0
    decoder, high = codecs.getincrementaldecoder("utf-8")(), Counter()
    is_utf8 = True
    while chunk := file.read(1 << 20):
        feeds += chunk.count(b"\n")
        returns += chunk.count(b"\r")
        high.update(chunk.translate(None, _ASCII))
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return max(feeds or returns, 1), is_utf8, high


def _plausibility(high, encoding):
    """Share of usual letters among the bytes beyond ASCII, under one encoding."""
    score = 0
    for byte, times in high.items():
        try:
            score += times if bytes([byte]).decode(encoding) in _USUAL else -times
        except UnicodeDecodeError:
            score -= 3 * times
    return score


class _Unclosable(io.RawIOBase):
    """Lets a TextIOWrapper read a file it must not close."""

    def __init__(self, file):
        self.file = file

    def readable(self):
        return True

    def readinto(self, buffer):
        chunk = self.file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
