// Run by tests/browser/run: node checks.cjs ADDRESS [FOLDER FOR PICTURES]
"use strict";
const fs = require("fs");
const path = require("path");
const puppeteer = require("puppeteer-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [base, shots] = process.argv.slice(2);
const root = base.replace(/\/$/, "");
let passed = 0;
const failed = [];

function check(what, good, said = "") {
  if (good) {
    passed += 1;
  } else {
    failed.push(what);
    console.log(`FAILED  ${what} ${said}`);
  }
}

// What the page asked for and complained of since it was opened.
function watch(page) {
  const seen = { requests: [], bytes: 0, complaints: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.complaints.push(message.text());
  });
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("requestfailed", (request) => seen.complaints.push(`failed: ${request.url()}`));
  page.on("response", async (response) => {
    if (!response.url().startsWith("http")) return;
    seen.bytes += (await response.buffer().catch(() => Buffer.alloc(0))).length;
  });
  return seen;
}

async function faults(page) {
  // axe in a world of its own would need the page's leave; the devtools' own evaluation does not
  await page.evaluate(axe);
  const result = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return result.violations.filter((fault) => ["serious", "critical"].includes(fault.impact));
}

async function look(browser, name, address, options) {
  const page = await browser.newPage();
  const seen = watch(page);
  await page.setViewport({ width: options.width, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: options.theme }]);
  const response = await page.goto(address, { waitUntil: "networkidle0" });
  const label = `${name} ${options.theme} ${options.width}`;
  check(`${label}: 200`, response.status() === 200, response.status());
  const outside = seen.requests.filter((url) => !url.startsWith(root) && !url.startsWith("data:"));
  check(`${label}: nothing from elsewhere`, outside.length === 0, outside.join(" "));
  check(`${label}: no complaint`, seen.complaints.length === 0, seen.complaints.join(" | "));
  const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  check(`${label}: as wide as the screen`, wide <= 0, `${wide} px wider`);
  if (shots) {
    fs.mkdirSync(shots, { recursive: true });
    await page.screenshot({ path: path.join(shots, `${label.replace(/\W+/g, "-")}.png`), fullPage: true });
  }
  const timing = await page.evaluate("performance.getEntriesByType('navigation')[0].responseStart");
  const serious = await faults(page);
  const told = serious.map((fault) => `${fault.id}: ${fault.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
  check(`${label}: no serious fault`, serious.length === 0, told.join("\n        "));
  if (options.theme === "light" && options.width > 1000) {
    console.log(`        ${name}: ${seen.requests.length} requests, ${seen.bytes} bytes, first byte after ${Math.round(timing)} ms`);
  }
  await page.close();
}

async function search(browser, prefix) {
  const page = await browser.newPage();
  await page.goto(`${root}${prefix}/articles`);
  await page.type("input[name=q]", "dan van kheo");
  await Promise.all([page.waitForNavigation(), page.click("form button")]);
  const titles = await page.$$eval(".articles li > a", (links) => links.map((link) => link.textContent));
  check(`${prefix || "/vi"}: a search without tones finds`, titles.some((title) => /dân vận khéo/i.test(title)), titles.join(" | "));
  await Promise.all([page.waitForNavigation(), page.click(".articles li > a")]);
  const struck = await page.$$eval("del", (all) => all.length);
  check(`${prefix || "/vi"}: the article shows what was stripped`, struck > 0);
  await Promise.all([page.waitForNavigation(), page.click(".lang")]);
  const language = await page.$eval("html", (html) => html.lang);
  check(`${prefix || "/vi"}: the switch leads to the other language`, language === (prefix ? "vi" : "en"), language);
  const article = page.url();
  await page.close();
  return article.replace(root, "").replace(/^\/en/, "");
}

(async () => {
  const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  try {
    const article = await search(browser, "");
    await search(browser, "/en");
    const pages = { overview: "/", sites: "/sites", site: "/sites/hungyen", failing: "/sites/khong-tra-loi", articles: "/articles", search: "/articles?q=dan+van+kheo", article };
    for (const [name, at] of Object.entries(pages)) {
      for (const prefix of ["", "/en"]) {
        const address = root + (at === "/" && prefix ? prefix : prefix + at);
        const label = `${name}${prefix.replace("/", " ")}`;
        await look(browser, label, address, { theme: "light", width: 1200 });
        await look(browser, label, address, { theme: "dark", width: 360 });
      }
    }
  } finally {
    await browser.close();
  }
  console.log(failed.length === 0 ? `${passed} checks passed` : `${failed.length} of ${passed + failed.length} checks FAILED`);
  process.exitCode = failed.length === 0 ? 0 : 1;
})();
