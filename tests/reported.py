# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's report taken apart, and results for it that are made up."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link"}


class Page(HTMLParser):
    """A page taken apart: ``outline`` is its elements with their attributes, ``text`` what a reader sees."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.source = path.read_text(encoding="utf-8")
        self.outline, self.open, self.words = [], [], []
        self.feed(self.source)
        self.close()
        assert self.open == []
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.outline.append((tag, tuple(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        # Between blocks there is a gap, inside of one there is none.
        self.words.append("" if tag in {"bdi", "a", "code", "span"} else " ")

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def made_up(text="Text", **changes):
    """A copy with all there can be; each of its texts begins with ``text`` and is another one."""
    return {
        "name": f"{text} 1",
        "action": "replaced",
        "source": {"id": f"{text} 2", "name": f"{text} 3"},
        "destination": {"id": f"{text} 4", "name": f"{text} 5", "status": "Succeeded", "created": f"{text} 6"},
        "counts": {"iterations": 2, "tags": 3, "tagged_images": 24},
        "verified": True,
        "published": [f"{text} 7", f"{text} 8"],
        "set_aside": [f"{text} 9"],
        "deleted": [f"{text} 10", f"{text} 11"],
        "error": None,
        **changes,
    }
