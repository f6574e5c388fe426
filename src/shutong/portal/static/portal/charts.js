// Draws every chart of the page. The specification stands beside it as JSON; expressions are interpreted, never
// evaluated as code.
import "../../assets/vega.js";

const NARROW = 480;

const tip = document.createElement("div");
tip.className = "chart-tip";
tip.hidden = true;
document.body.append(tip);

function tooltip(_handler, event, _item, value) {
  if (value === null || value === undefined || value === "") {
    tip.hidden = true;
    return;
  }
  const lines = typeof value === "object" ? Object.entries(value).map(([key, text]) => `${key}：${text}`) : [String(value)];
  tip.textContent = lines.join("\n");
  tip.hidden = false;
  tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - 270)}px`;
  tip.style.top = `${event.clientY + 14}px`;
}

for (const place of document.querySelectorAll("[data-chart]")) {
  const specification = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  if (place.clientWidth < NARROW) {
    specification.config.legend.columns = 2;
    specification.config.axis.labelLimit = 120;
    // The figures behind the bars need a larger share of a narrow chart.
    const domain = specification.encoding.x.scale?.domain;
    if (domain) domain[1] *= 1.15;
  }
  const options = { actions: false, renderer: "svg", ast: true, defaultStyle: false, tooltip };
  window.vegaEmbed(place, specification, options).catch((error) => {
    place.textContent = String(error);
  });
}
