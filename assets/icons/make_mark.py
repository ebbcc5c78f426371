#!/usr/bin/env python3
"""Makes causa.svg: 事 from Causa Sans SemiBold, white on a vermilion square with round corners.

causa.png is this at 512 pixels (convert -background none causa.svg PNG32:causa.png).
"""
import pathlib

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTFont

here = pathlib.Path(__file__).parent
font = TTFont(here.parent / "fonts" / "CausaSans-SemiBold.ttf")
glyphs = font.getGlyphSet()
pen = SVGPathPen(glyphs, ntos=lambda v: f"{v:.1f}".rstrip("0").rstrip("."))
scale = 0.35  # the em box is 0.88 above and 0.12 below the baseline
glyphs[font.getBestCmap()[ord("事")]].draw(TransformPen(pen, (scale, 0, 0, -scale, 256 - 500 * scale, 256 + 380 * scale)))
(here / "causa.svg").write_text(
    '<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">'
    '<rect x="16" y="16" width="480" height="480" rx="112" stroke="none" fill="#c8402f"/>'
    f'<path fill="#fff" stroke="none" d="{pen.getCommands()}"/></svg>\n'
)
