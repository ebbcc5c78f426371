#!/usr/bin/env python3
"""Makes CausaSans-Regular.ttf and CausaSans-SemiBold.ttf (see README.md).

usage: make.py INTER.ttf NOTO_SANS_SC.ttf WEIGHT OUT.ttf

Latin, Greek and Cyrillic come from Inter, everything of GB2312 beyond them from
Noto Sans SC, joined into one font, so that mixed lines need no font fallback and
share one baseline.
"""
import sys
import tempfile

from fontTools import merge, subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem

LATIN = [
    (0x20, 0x7F), (0xA0, 0x250), (0x2B0, 0x300), (0x370, 0x400), (0x400, 0x460),
    (0x1E00, 0x1F00), (0x2000, 0x2070), (0x2070, 0x20A0), (0x20A0, 0x20C0),
    (0x2100, 0x2150), (0x2150, 0x2190), (0x2190, 0x2200), (0x2200, 0x2270),
]
ROUND_CJK = [(0x2460, 0x2500), (0x25A0, 0x2700), (0x3000, 0x3040), (0xFF00, 0xFFF0)]
# Marks that Chinese sets in the middle of the em, where Inter's would sit wrongly.
CHINESE_MARKS = {0x2014, 0x2026, 0x2192}


def gb2312():
    out = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                out.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                pass
    return out


def cut(path, chars, upem):
    font = TTFont(path)
    options = subset.Options()
    options.hinting = False
    options.glyph_names = False
    options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
    options.drop_tables += ["STAT", "MVAR", "HVAR", "vhea", "vmtx", "VORG", "DSIG", "BASE"]
    options.name_IDs = []
    s = subset.Subsetter(options)
    s.populate(unicodes=sorted(set(chars) & set(font.getBestCmap())))
    s.subset(font)
    if font["head"].unitsPerEm != upem:
        scale_upem(font, upem)
    return font


def main(inter, noto, weight, out):
    latin = {c for a, b in LATIN for c in range(a, b)} - CHINESE_MARKS
    have = set(TTFont(inter).getBestCmap()) & latin
    chinese = (gb2312() | {c for a, b in ROUND_CJK for c in range(a, b)} | CHINESE_MARKS | latin) - have
    with tempfile.TemporaryDirectory() as d:
        cut(inter, have, 1000).save(d + "/latin.ttf")
        cut(noto, chinese, 1000).save(d + "/chinese.ttf")
        font = merge.Merger().merge([d + "/latin.ttf", d + "/chinese.ttf"])

    # An em box whose middle is the middle of a Chinese character and nearly that of a
    # capital letter, so that text centres in buttons, badges and avatars.
    ascent, descent = 1010, 250
    font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = ascent, -descent, 0
    os2 = font["OS/2"]
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = ascent, -descent, 0
    os2.usWinAscent, os2.usWinDescent = ascent, descent
    os2.fsSelection |= 1 << 7
    os2.usWeightClass = int(weight)
    style = {"400": "Regular", "600": "SemiBold", "700": "Bold"}[weight]
    name = font["name"]
    name.names = []
    for i, text in {
        0: "Inter: Copyright 2016 The Inter Project Authors. Noto Sans SC: Copyright 2014-2021 Adobe. Joined for Causa.",
        1: "Causa Sans", 2: style, 3: "CausaSans-" + style, 4: "Causa Sans " + style, 5: "Version 1.0", 6: "CausaSans-" + style,
        13: "This font is licensed under the SIL Open Font License, Version 1.1.", 14: "https://openfontlicense.org",
    }.items():
        name.setName(text, i, 3, 1, 0x409)
    font["head"].created = font["head"].modified = 3_800_000_000  # same bytes every time
    font.recalcTimestamp = False
    font.save(out)
    print(out, len(font.getGlyphOrder()), "glyphs")


if __name__ == "__main__":
    main(*sys.argv[1:])
