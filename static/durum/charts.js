// Draws every <figure data-chart> with ECharts from the JSON beside it. Load on pages with charts:
// {% block head %}{% include "components/charts_head.html" %}{% endblock %}
(() => {
  const drawn = new Map();
  const styles = () => getComputedStyle(document.documentElement);
  const css = (name) => styles().getPropertyValue(name).trim();

  const formatter = ({ unit, currency }) => {
    const language = document.documentElement.lang;
    const number = (options) => {
      const format = new Intl.NumberFormat(language, options);
      return (value) => (value === null || value === undefined ? "–" : format.format(value));
    };
    if (unit === "money" && currency) return number({ style: "currency", currency, maximumFractionDigits: 2 });
    if (unit === "percent") return number({ style: "percent", maximumFractionDigits: 1 });
    if (unit === "ratio") {
      const ratio = number({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
      return (value) => `${ratio(value)}×`;
    }
    return number({ maximumFractionDigits: 2 });
  };
  // Short amounts on the axis: 12 k instead of 12,000.00.
  const axisFormatter = ({ unit, currency }) => {
    const options = { notation: "compact", maximumFractionDigits: 1 };
    if (unit === "money" && currency) Object.assign(options, { style: "currency", currency });
    if (unit === "percent") options.style = "percent";
    const format = new Intl.NumberFormat(document.documentElement.lang, options);
    return (value) => format.format(value);
  };

  // The tooltip is built of elements: a string with style attributes would not pass our content policy.
  const tooltip = (show) => (points) => {
    const box = document.createElement("div");
    box.className = "durum-tip";
    const title = document.createElement("strong");
    title.textContent = points[0]?.axisValueLabel ?? "";
    const list = document.createElement("dl");
    for (const point of points) {
      if (point.seriesName.startsWith("\u0000")) continue;
      const name = document.createElement("dt");
      name.textContent = point.seriesName;
      const value = document.createElement("dd");
      value.textContent = show(point.value);
      list.append(name, value);
    }
    box.append(title, list);
    return box;
  };

  // A band is two stacked lines: an invisible floor, and the height above it.
  const band = (entry, index, colour) => {
    const lines = { type: "line", stack: `band-${index}`, symbol: "none", silent: true, lineStyle: { opacity: 0 }, tooltip: { show: false } };
    const height = entry.high.map((high, at) => (high === null || entry.low[at] === null ? null : high - entry.low[at]));
    return [
      { ...lines, name: `\u0000low${index}`, data: entry.low, stackStrategy: "all" },
      { ...lines, name: `\u0000high${index}`, data: height, stackStrategy: "all", areaStyle: { color: colour, opacity: 0.15 } },
    ];
  };

  const options = (data) => {
    const colours = css("--durum-series").split(/,\s*/);
    const text = css("--durum-text");
    const grid = css("--durum-grid");
    const show = formatter(data);
    // Series differ by dash and symbol too: colour alone does not reach everybody.
    const dashes = ["solid", [6, 4], [2, 3], [10, 4, 2, 4]];
    const symbols = ["circle", "rect", "triangle", "diamond"];
    const series = data.series.flatMap((entry, index) => {
      const colour = colours[index % colours.length];
      const kind = entry.kind || data.kind;
      const line = {
        name: entry.name,
        type: kind,
        data: entry.values,
        itemStyle: { color: colour, borderRadius: kind === "bar" ? [3, 3, 0, 0] : 0 },
        lineStyle: { width: 2, type: entry.dashed ? "dashed" : dashes[index % dashes.length] },
        symbol: symbols[index % symbols.length],
        symbolSize: 5,
        showSymbol: data.labels.length <= 31,
        barMaxWidth: 28,
        emphasis: { focus: "series" },
      };
      if (index === 0 && data.marks.length) {
        line.markLine = {
          symbol: "none",
          lineStyle: { color: text, type: "dashed" },
          label: { color: text, formatter: (mark) => mark.name },
          data: data.marks.map(([at, name]) => ({ xAxis: at, name })),
        };
      }
      return entry.low && entry.high ? [...band(entry, index, colour), line] : [line];
    });
    return {
      animation: false,
      aria: { enabled: false },
      textStyle: { fontFamily: css("--tblr-font-sans-serif") || "sans-serif", color: text },
      grid: { left: 8, right: 12, top: data.series.length > 1 ? 36 : 16, bottom: 4, containLabel: true },
      legend: { show: data.series.length > 1, top: 0, left: 0, textStyle: { color: text }, data: data.series.map((entry) => entry.name) },
      tooltip: {
        trigger: "axis",
        confine: true,
        backgroundColor: css("--tblr-bg-surface") || undefined,
        borderColor: grid,
        textStyle: { color: css("--tblr-body-color") || text },
        formatter: tooltip(show),
      },
      xAxis: { type: "category", data: data.labels, boundaryGap: data.kind === "bar", axisLine: { lineStyle: { color: grid } }, axisTick: { show: false }, axisLabel: { color: text, hideOverlap: true } },
      yAxis: { type: "value", scale: data.kind !== "bar", splitLine: { lineStyle: { color: grid } }, axisLabel: { color: text, formatter: axisFormatter(data) } },
      series,
    };
  };

  const draw = (figure) => {
    const canvas = figure.querySelector("[data-chart-canvas]");
    const source = document.getElementById(figure.dataset.chart);
    if (!canvas || !source || !window.echarts) return;
    const picture = drawn.get(canvas) || window.echarts.init(canvas, null, { renderer: "canvas" });
    if (!drawn.has(canvas)) {
      drawn.set(canvas, picture);
      new ResizeObserver(() => picture.isDisposed() || picture.resize()).observe(canvas);
    }
    picture.setOption(options(JSON.parse(source.textContent)), true);
  };
  const drawAll = () => {
    for (const [canvas, picture] of drawn) {
      if (canvas.isConnected) continue;
      picture.dispose();
      drawn.delete(canvas);
    }
    document.querySelectorAll("figure[data-chart]").forEach(draw);
  };
  document.addEventListener("htmx:afterSettle", drawAll);
  document.addEventListener("durum:theme", drawAll);
  drawAll();
})();
