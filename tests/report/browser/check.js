// The report as its readers meet it: in a browser on a desk and on a phone, on paper, with a screen reader, without a
// network. usage: node check.js index.html   (chromium: $CHROMIUM or /usr/bin/chromium)
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core"), "utf8");
const address = pathToFileURL(process.argv[2]).href;
const faults = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"],
});

async function open(width, height) {
  const page = await browser.newPage({ viewport: { width, height } });
  page.on("request", (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith("data:")) faults.push(`${width} px: asks for ${url}`);
  });
  page.on("pageerror", (error) => faults.push(`${width} px: ${error.message}`));
  await page.goto(address);
  return page;
}

for (const [width, height] of [[1280, 900], [360, 740]]) {
  const page = await open(width, height);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (overflow > 0) faults.push(`${width} px: the page scrolls sideways by ${overflow} px`);
  const broken = await page.evaluate(() => Array.from(document.images).filter((i) => !i.complete || !i.naturalWidth).length);
  if (broken > 0) faults.push(`${width} px: ${broken} images do not show`);
  const dangling = await page.evaluate(() => Array.from(document.querySelectorAll('a[href^="#"]'))
    .filter((a) => !document.getElementById(decodeURIComponent(a.getAttribute("href").slice(1)))).length);
  if (dangling > 0) faults.push(`${width} px: ${dangling} links lead nowhere on the page`);
  await page.evaluate(axe);
  const result = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  for (const violation of result.violations)
    for (const node of violation.nodes) faults.push(`${width} px: ${violation.id}: ${node.target.join(" ")}: ${violation.help}`);
  console.log(`${width} px: ${result.passes.length} accessibility rules pass, ${result.violations.length} do not`);
  await page.close();
}

const paper = await open(794, 1123); // A4 at 96 per inch
await paper.emulateMedia({ media: "print" });
const skip = await paper.evaluate(() => getComputedStyle(document.querySelector(".skip")).display);
if (skip !== "none") faults.push("print: the skip link is printed");
await browser.close();

for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
