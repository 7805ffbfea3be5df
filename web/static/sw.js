// The phone's enhancement: the tasks that were seen last can be opened without a signal. What is sent is queue.js's matter, not ours.
// SHELL (version, urls, pages) is written before this text by web/offline.py.
//
//   assets   by their content's address: kept at the first sight, gone when no kept page names them any more
//   pages    of one person: network first, after 3 s the kept one, marked by <body data-kept-at>; gone at sign-out and with the next person
//
// Nothing of /api is ever kept.
/* global SHELL */
"use strict";
const ASSETS = "linli-assets", PAGES = "linli-pages", PATIENCE = 3000, MOST_PAGES = 60, OLDEST = 7 * 86400000;
const person = (html) => /<script[^>]* id="offline"[^>]* data-person="([^"]+)"/.exec(html)?.[1] ?? null;
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
const isPage = (url) => url.origin === location.origin && (url.pathname === SHELL.scope || url.pathname.startsWith(`${SHELL.scope}/`));

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const kept = await caches.open(ASSETS);
    for (const url of SHELL.urls) if (!(await kept.match(url))) await kept.add(url);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    await tidy();
    await self.clients.claim();
  })());
});

// Assets that neither this release nor a kept page names.
const tidy = async () => {
  const named = new Set(SHELL.urls);
  for (const name of await caches.keys()) {
    if (!name.startsWith(`${PAGES}:`)) continue;
    const pages = await caches.open(name);
    for (const request of await pages.keys()) {
      const html = await (await pages.match(request)).text();
      for (const [, url] of html.matchAll(/["'](\/assets\/[^"'#]+)/g)) named.add(url);
    }
  }
  const kept = await caches.open(ASSETS);
  for (const request of await kept.keys()) if (!named.has(new URL(request.url).pathname)) await kept.delete(request);
};

const forget = async (except = null) => {
  for (const name of await caches.keys()) if (name.startsWith(`${PAGES}:`) && name !== except) await caches.delete(name);
};

const ofPages = async () => {
  const name = (await caches.keys()).find((one) => one.startsWith(`${PAGES}:`));
  return name ? caches.open(name) : null;
};

// A page as it came, with when; under its address, for whoever it was made for. The others' are gone then.
const keep = async (url, response) => {
  if (response.redirected) { if (new URL(response.url).pathname === "/sign-in") await forget(); return; }
  if (response.status === 404 || response.status === 403) { await (await ofPages())?.delete(url); return; }
  if (response.status !== 200 || !(response.headers.get("Content-Type") ?? "").startsWith("text/html")) return;
  const html = await response.text(), whose = person(html);
  if (!whose || !/<body[\s>]/.test(html)) return;
  const name = `${PAGES}:${whose}`, headers = new Headers(response.headers);
  for (const gone of ["Content-Encoding", "Content-Length", "Set-Cookie"]) headers.delete(gone);
  headers.set("Kept-At", new Date().toISOString());
  await forget(name);
  const pages = await caches.open(name);
  await pages.delete(url);
  await pages.put(url, new Response(html, { headers }));
  const keys = await pages.keys(); // oldest first
  const spare = keys.filter((request) => !SHELL.pages.includes(new URL(request.url).pathname));
  for (const request of spare.slice(0, Math.max(0, spare.length - MOST_PAGES))) await pages.delete(request);
};

const marked = async (kept) => {
  const at = kept.headers.get("Kept-At"), html = await kept.text();
  return new Response(html.replace(/<body(?=[\s>])/, `<body data-kept-at="${at}"`), { status: 200, headers: kept.headers });
};

const keptPage = async (url) => {
  const found = await (await ofPages())?.match(url);
  return found && Date.now() - Date.parse(found.headers.get("Kept-At")) < OLDEST ? found : null;
};

const fromNetwork = async (event, url) => {
  const response = await fetch(event.request);
  if (response.type === "opaqueredirect") event.waitUntil(fetch(url, { credentials: "same-origin" }).then((seen) => keep(url, seen)).catch(() => {}));
  else event.waitUntil(keep(url, response.clone()).catch(() => {}));
  return response;
};

const page = async (event, url) => {
  const network = fromNetwork(event, url), kept = await keptPage(url);
  event.waitUntil(network.catch(() => {}));
  if (kept) {
    const first = await Promise.race([network.catch(() => null), sleep(PATIENCE)]);
    return first && first.status < 500 ? first : marked(kept);
  }
  try { return await network; } catch {
    const away = await (await ofPages())?.match(`${SHELL.scope}/away`);
    return away ?? Response.error();
  }
};

const asset = async (request) => {
  const kept = await caches.open(ASSETS), found = await kept.match(request.url);
  if (found) return found;
  const response = await fetch(request);
  if (response.ok && !response.redirected) await kept.put(request.url, response.clone());
  return response;
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (url.pathname.startsWith(SHELL.assets)) { event.respondWith(asset(request)); return; }
  if (!isPage(url)) return;
  const address = url.pathname + url.search;
  if (request.mode === "navigate") { event.respondWith(page(event, address)); return; }
  // A part that htmx fetches anew is the whole page: it is the newest there is.
  if (request.headers.has("HX-Request")) event.respondWith(fromNetwork(event, address));
});

// A page tells where it is: the first one was loaded before this worker was there.
self.addEventListener("message", (event) => {
  const here = event.data?.keep;
  if (typeof here !== "string" || !isPage(new URL(here, location.origin))) return;
  event.waitUntil((async () => {
    for (const url of new Set([here, ...SHELL.pages])) {
      const found = await keptPage(url), fresh = found && (url === here || Date.now() - Date.parse(found.headers.get("Kept-At")) < 3600000);
      if (!fresh) await fetch(url, { credentials: "same-origin" }).then((response) => keep(url, response)).catch(() => {});
    }
  })());
});
