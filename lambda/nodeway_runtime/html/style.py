"""The map's style sheet, with a light and a dark palette. Every rule of STYLE is within `.nw`. Pure.

The attribute `data-theme` overrides the system's theme. The narrow layout follows the widget's width, too.
"""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#f5f6f8",
    "card": "#ffffff",
    "text": "#1a2330",
    "muted": "#536072",
    "line": "#dfe4ea",
    "accent": "#1c5aa3",
    "ok": "#17683a",
    "ok-soft": "#e5f4ea",
    "degraded": "#774800",
    "degraded-soft": "#fcefd3",
    "broken": "#a1141d",
    "broken-soft": "#fde9e9",
    "resolve": "#7558b3",
    "connect": "#2a78b0",
    "tls": "#1f857c",
    "answer": "#a86a1e",
}
DARK: Mapping[str, str] = {
    "page": "#0e1319",
    "card": "#161d26",
    "text": "#e3e8ef",
    "muted": "#9ba8b9",
    "line": "#2b3644",
    "accent": "#84b7f2",
    "ok": "#70d196",
    "ok-soft": "#142d1f",
    "degraded": "#f0bb5e",
    "degraded-soft": "#32260f",
    "broken": "#ff9494",
    "broken-soft": "#3a171a",
    "resolve": "#a88cdc",
    "connect": "#5caae0",
    "tls": "#50c0b4",
    "answer": "#d8a05a",
}
TINTED = ("ok", "degraded", "broken")
"""Text colours that have a soft background colour of the same name."""


def tokens(palette: Mapping[str, str]) -> str:
    """A palette as CSS custom properties."""
    return "".join(f"--{name}:{value};" for name, value in palette.items())


_NARROW = """
.nw .map thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.nw .map,.nw .map tbody,.nw .map th,.nw .map td{display:block;width:auto}
.nw .map tr{display:grid;grid-template:"h s" "p p" "n r" "l l"/1fr auto;gap:.05rem .8rem;padding:.6rem .9rem;
border-bottom:1px solid var(--line)}
.nw .map td,.nw .map th{padding:0;border:0;white-space:normal}
.nw .map tr.v{display:block;padding:0}.nw .map tr.v th{padding:.55rem .9rem}
.nw th[scope=row]{grid-area:h}.nw td.s{grid-area:s;text-align:right}.nw td.p{grid-area:p}.nw td.n{grid-area:n}
.nw td.l{grid-area:l}.nw td.r{grid-area:r;color:var(--muted)}
.nw td.p::before,.nw td.n::before,.nw td.l::before,.nw td.r::before{color:var(--muted)}
.nw td.p::before{content:"→ proxy "}.nw td.n::before{content:"→ node "}.nw td.r::before{content:"MOVED/ASK "}
.nw td.l::before{content:"look-up, connect, TLS, answer, ms:";font-size:.86em}
.nw td.p .a:first-child,.nw td.p details{display:inline}
.nw td.l .a{display:block}.nw .bar{max-width:none;margin:.15rem 0}.nw .z{display:none!important}
.nw .map tr[data-state=ok]{grid-template:"h h s" "p p p" "n l l" "r r r"/auto 1fr auto}
.nw tr[data-state=ok] td.l{text-align:right}
.nw tr[data-state=ok] .bar{display:none}.nw tr[data-state=ok] td.l::before{content:none}
.nw tr[data-state=ok] .f::after{content:" ms"}
"""

STYLE = f"""
.nw{{{tokens(LIGHT)}color-scheme:light;color:var(--text);background:var(--card);container:nw/inline-size;
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Inter","Helvetica Neue",Arial,sans-serif;text-align:left}}
@media (prefers-color-scheme:dark){{.nw:not([data-theme=light]){{{tokens(DARK)}color-scheme:dark}}}}
.nw[data-theme=dark]{{{tokens(DARK)}color-scheme:dark}}
.nw *{{box-sizing:border-box}}
.nw p,.nw ul{{margin:0;padding:0}}
.nw .hd{{padding:.8rem .9rem .15rem;font-size:1.2em;font-weight:650;text-wrap:balance}}
.nw .hd span{{white-space:nowrap}}
.nw .sub{{padding:0 .9rem .75rem;color:var(--muted);overflow-wrap:anywhere}}
.nw .notes{{list-style:none;padding:0 .9rem .75rem;color:var(--degraded);overflow-wrap:anywhere}}
.nw .ok{{color:var(--ok)}}.nw .degraded,.nw .old{{color:var(--degraded)}}.nw .broken{{color:var(--broken)}}
.nw table{{border-collapse:collapse;width:100%}}.nw .map{{border-top:1px solid var(--line)}}
.nw th,.nw td{{padding:.42rem .9rem;text-align:left;vertical-align:top;font-weight:400;background:none;border:0;
border-bottom:1px solid var(--line);color:inherit}}
.nw thead th{{font-size:.86em;color:var(--muted);white-space:nowrap}}
.nw tbody th{{overflow-wrap:anywhere}}
.nw tbody th b{{font-weight:600}}
.nw small,.nw .m{{font-size:.86em;color:var(--muted)}}
.nw tr.b{{background:var(--broken-soft)}}.nw tr.d{{background:var(--degraded-soft)}}
.nw tr.b .m,.nw tr.d .m,.nw tr.b small,.nw tr.d small{{color:var(--text)}}
.nw tr.v th{{box-shadow:inset .25rem 0 currentColor;overflow-wrap:anywhere}}
.nw tr.v span{{display:block;color:var(--text)}}
.nw tr.b.v th{{color:var(--broken)}}.nw tr.d.v th{{color:var(--degraded)}}
.nw td.s{{white-space:nowrap}}.nw td.s b{{font-weight:600}}
.nw .a{{display:block;overflow-wrap:anywhere}}
.nw .w{{display:block;color:var(--text);max-width:46ch;overflow-wrap:anywhere;unicode-bidi:isolate}}
.nw td.l,.nw td.r,.nw time{{font-variant-numeric:tabular-nums}}.nw td.l,.nw td.r{{white-space:nowrap}}
.nw td.l .a{{display:flex;align-items:center;gap:.6rem}}.nw .f{{min-width:9.6em}}
.nw .bar{{display:flex;flex:1;min-width:4rem;height:.3rem;max-width:9rem;border-radius:.15rem;overflow:hidden;
background:var(--line)}}
.nw .bar i{{display:block}}
.nw .k0{{background:var(--resolve)}}.nw .k1{{background:var(--connect)}}
.nw .k2{{background:var(--tls)}}.nw .k3{{background:var(--answer)}}
.nw .key i{{display:inline-block;width:.55em;height:.55em;border-radius:50%;margin:0 .3em 0 .55em}}
.nw summary{{cursor:pointer}}
.nw :focus-visible{{outline:2px solid var(--accent);outline-offset:2px;border-radius:.2rem}}
.nw code{{font:.93em ui-monospace,"SF Mono",Menlo,Consolas,monospace}}
@media (max-width:40rem){{{_NARROW}}}
@container nw (max-width:40rem){{{_NARROW}}}
@media (prefers-reduced-motion:reduce){{.nw *{{transition:none!important;animation:none!important}}}}
"""

PAGE_STYLE = """
html{-webkit-text-size-adjust:100%}
body.nw{margin:0;background:var(--page);min-height:100vh}
.nw header,.nw main,.nw footer{max-width:84rem;margin:0 auto;padding:0 1rem}
.nw header{padding-top:1.4rem;padding-bottom:.9rem}
.nw h1{font-size:1.35rem;line-height:1.25;margin:0 0 .15rem;font-weight:650;overflow-wrap:anywhere}
.nw main .nw{border:1px solid var(--line);border-radius:.6rem;overflow:hidden}
.nw footer{padding-top:.9rem;padding-bottom:2rem;color:var(--muted);font-size:.9em}
.nw header p{color:var(--muted);overflow-wrap:anywhere}
"""
