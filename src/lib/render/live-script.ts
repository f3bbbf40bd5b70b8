/** What keeps a page up to date in a browser: parts that changed, in the place of those that were there. */

/**
 * Parts come as they stand in the page, made and escaped by the same renderer; the policy of the page lets nothing in them
 * run. What a reader has opened stays open, and rows stay where they are: nothing jumps away under a hand.
 */
export const LIVE_SCRIPT = `
(() => {
  'use strict';
  const make = (html) => {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.content.firstElementChild;
  };
  const opened = (part) => [...part.querySelectorAll('details')];
  const put = (old, fresh) => {
    const was = opened(old);
    const is = opened(fresh);
    if (was.length === is.length) is.forEach((one, at) => { one.open = was[at].open; });
    const focus = [...old.querySelectorAll('summary')].indexOf(document.activeElement);
    old.replaceWith(fresh);
    if (focus >= 0) fresh.querySelectorAll('summary')[focus]?.focus();
  };
  const isSorted = (list) => list.closest('table')?.querySelector('th[aria-sort$=scending]') != null;
  const update = (list, { keys, html }) => {
    const parts = new Map([...list.children].map((part) => [part.dataset.id, part]));
    for (const [key, text] of Object.entries(html)) {
      const fresh = make(text);
      const old = parts.get(key);
      if (old) put(old, fresh);
      parts.set(key, fresh);
    }
    if (keys) {
      const there = new Set(keys);
      const order = isSorted(list) ? [...new Set([...parts.keys()].filter((key) => there.has(key)).concat(keys))] : keys;
      list.replaceChildren(...order.flatMap((key) => parts.get(key) ?? []));
    }
    list.closest('table')?.dispatchEvent(new Event('changed'));
  };
  const top = (part) => part.getBoundingClientRect().top;
  // What stands first on the screen stays there, whatever comes or goes above it. Parts are other elements then: a browser's own anchors are gone.
  const hold = () => {
    if (scrollY === 0) return () => {};
    const seen = [...document.querySelectorAll('[data-id]:not(.problem)')]
      .map((part) => ({ list: part.parentElement, id: part.dataset.id, was: top(part), part }))
      .filter(({ part, was }) => was < innerHeight && part.getBoundingClientRect().bottom > 0);
    return () => {
      for (const { list, id, was } of seen) {
        const now = [...list.children].find((part) => part.dataset.id === id);
        if (now) return scrollBy({ top: top(now) - was, behavior: 'instant' });
      }
    };
  };
  const link = document.getElementById('link');
  let version = document.body.dataset.version;
  const hear = () => {
    const source = new EventSource('events?since=' + encodeURIComponent(version));
    source.addEventListener('open', () => { link.hidden = true; });
    source.addEventListener('error', () => {
      link.hidden = false;
      // After an answer that is no stream, such as a proxy's, a browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(hear, 10000);
    });
    source.addEventListener('parts', (event) => {
      const lists = JSON.parse(event.data);
      const back = hold();
      for (const list of document.querySelectorAll('[data-list]'))
        if (lists[list.dataset.list]) update(list, lists[list.dataset.list]);
      back();
      document.title = document.querySelector('h1').textContent;
      version = event.lastEventId;
    });
  };
  hear();
})();
`;
