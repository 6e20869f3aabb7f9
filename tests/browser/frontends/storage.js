// What the origin keeps, names and values; our own decision left out.
async () => ({
  cookies: document.cookie.split("; ").filter((pair) => !pair.startsWith("consent_")).sort(),
  local: Object.entries(localStorage).filter(([name]) => !name.startsWith("consent_")).sort(),
  session: Object.entries(sessionStorage).sort(),
  databases: (await indexedDB.databases()).map((one) => one.name).sort(),
  caches: await caches.keys(),
})
