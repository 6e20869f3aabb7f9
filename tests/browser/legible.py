"""Legible: whether every word can be read, every control pressed, and both answers seen alike."""

from __future__ import annotations

from playwright.sync_api import Page

# Layers in front, or else the page's own main part. Words that scroll out of a layer upwards or
# downwards can be reached; sideways nobody looks.
_FIND = """() => {
  const found = [], slack = 1.5;
  const main = document.querySelector('consent-notice') ? [] : [document.body];
  const roots = [...document.querySelectorAll('consent-notice, consent-placeholder')].map(
    (host) => host.shadowRoot);
  const dialogs = roots.flatMap((root) => [...root.querySelectorAll('dialog')]);
  const of = (layer) => roots.flatMap((root) => [...root.querySelectorAll(layer)]);
  const asked = of('section[role=dialog]'), inPage = of('.held'); // what is asked stands over those
  const layers = dialogs.length ? dialogs
    : [...main, ...of('.announcement, .entry'), ...(asked.length ? asked : inPage)];
  const name = (one) => (one.innerText ?? one.textContent ?? '').trim().slice(0, 40)
    || one.id || one.className;
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) &&
    !one.matches('.skip:not(:focus)') && one.getClientRects().length;
  // Code and tables may scroll by themselves (WCAG 2.2, 1.4.10).
  const isWide = (one) => one.closest('pre, table') || one.querySelector(':scope > table');
  const tell = (what, one) => found.push(`${what}: ${name(one)}`);

  const words = [];
  for (const layer of layers) {
    const frame = layer.getBoundingClientRect();
    if (layer !== document.body && (frame.left < -slack || frame.right > innerWidth + slack))
      tell('outside of the screen', layer);
    if (layer !== document.body && layer.matches('section, .announcement, .entry, dialog') &&
        (frame.top < -slack || frame.bottom > innerHeight + slack)) tell('too high', layer);
    for (const one of [layer, ...layer.querySelectorAll('*')]) {
      const { overflowX } = getComputedStyle(one);
      const scrolls = one.scrollWidth > one.clientWidth + slack && one.clientWidth;
      if (!scrolls || overflowX === 'visible' || !isShown(one) || isWide(one)) continue;
      tell('scrolls sideways', one);
    }
    const walker = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, owner = node.parentElement;
      if (!node.data.trim() || !isShown(owner) || isWide(owner)) continue;
      const range = document.createRange();
      if (owner.closest('button')) for (const { index, 0: word } of node.data.matchAll(/\\S+/g)) {
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const parts = [...range.getClientRects()];
        const isShort = parts.reduce((sum, { width }) => sum + width, 0) < layer.clientWidth / 2;
        if (isShort && parts.some(({ top }) => top !== parts[0].top)) tell('broken word', owner);
      }
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        if (rect.width < 1) continue;
        let { left, right, top, bottom } = rect;
        if (left < -slack || right > innerWidth + slack) tell('cut off by the screen', owner);
        for (let up = owner; up && up !== document.body; up = up.parentElement) {
          const box = up.getBoundingClientRect(), style = getComputedStyle(up);
          const isButton = up.localName === 'button';
          if (style.display === 'inline') continue;
          const isTight = isButton || style.overflowX !== 'visible';
          if (isTight && (left < box.left - slack || right > box.right + slack))
            tell('cut off sideways', owner);
          const isCut = top < box.top - slack || bottom > box.bottom + slack;
          if (isButton || style.overflowY === 'hidden') { if (isCut) tell('cut off', owner); }
          else if (style.overflowY !== 'visible') {
            top = Math.max(top, box.top);
            bottom = Math.min(bottom, box.bottom);
          }
        }
        if (bottom - top < 2) continue;
        words.push({ node, owner, layer, left, right, top, bottom });
        if (!layer.matches('section, .announcement')) continue; // the page's own can be scrolled
        const there = layer.getRootNode().elementFromPoint((left + right) / 2, (top + bottom) / 2);
        if (there && !layer.contains(there)) tell('covered', owner);
      }
    }
  }
  for (const [index, one] of words.entries()) for (const other of words.slice(index + 1)) {
    if (one.node === other.node || one.layer !== other.layer) continue;
    const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (wide > 2 && high > 5) tell(`words over words (${name(other.owner)})`, one.owner);
  }
  const controls = layers.flatMap((layer) => [
    ...(layer.matches('button') ? [layer] : []),
    ...layer.querySelectorAll('button, input, a, summary')]);
  const pressed = controls.filter(isShown);
  const home = (one) => one.parentElement?.closest('section, div'); // others scroll past
  for (const [index, one] of pressed.entries()) for (const other of pressed.slice(index + 1)) {
    if (one.contains(other) || !home(one) || home(one) !== home(other)) continue;
    if (one.localName === 'a' && other.localName === 'a') continue; // lines of a text
    const first = one.getBoundingClientRect(), second = other.getBoundingClientRect();
    const beside = Math.max(first.left - second.right, second.left - first.right);
    const above = Math.max(first.top - second.bottom, second.top - first.bottom);
    if (Math.max(beside, above) < 3) tell(`touches (${name(other)})`, one);
  }
  for (const control of pressed) {
    control.scrollIntoView({ block: 'center', behavior: 'instant' });
    const { x, y, width, height } = control.getClientRects()[0];
    const there = control.getRootNode().elementFromPoint(x + width / 2, y + height / 2);
    if (!there || !control.contains(there)) tell('cannot be pressed', control);
  }
  document.scrollingElement.scrollTo(0, 0);
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
  if (!layers.length || !words.length) found.push('nothing is shown');
  return [...new Set(found)];
}"""


# Size, place and every computed style of both answers of the layer in front.
_ANSWERS = """() => {
  const root = document.querySelector('consent-notice').shadowRoot;
  const layer = root.querySelector('dialog') ?? root.querySelector('section');
  return ['accept_all', 'reject_all'].map((action) => {
    const one = [...layer.querySelectorAll(`[data-consent-action=${action}]`)].pop();
    const { x, y, width, height } = one.getBoundingClientRect();
    const style = getComputedStyle(one), all = {};
    const sizes = /^(width|height|(inline|block)-size|(transform|perspective)-origin)$/;
    for (const name of style) if (!sizes.test(name)) all[name] = style.getPropertyValue(name);
    return { x, y, width, height, all, right: x + width, bottom: y + height };
  });
}"""


def illegible(page: Page) -> list[str]:
    """What is cut off, lies over something else, or is out of reach; nothing is as it should be."""
    found: list[str] = page.evaluate(_FIND)
    return found


def assert_equal_answers(page: Page, where: str) -> None:
    """Fail unless both answers of the layer in front look alike and are wholly in sight."""
    accept, reject = page.evaluate(_ANSWERS)
    assert accept["all"] == reject["all"], where
    for side in ("width", "height"):
        assert abs(accept[side] - reject[side]) <= 1, (where, side)
    assert accept["height"] >= 44, where
    assert accept["x"] == reject["x"] or accept["y"] == reject["y"], (where, "one row or column")
    size = page.viewport_size
    assert size is not None
    for one in (accept, reject):
        assert one["x"] >= 0, where
        assert one["y"] >= 0, where
        assert one["right"] <= size["width"], where
        assert one["bottom"] <= size["height"], (where, "in sight without scrolling")
