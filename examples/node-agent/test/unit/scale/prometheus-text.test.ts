import { expect, test } from "vitest";
import { parseExposition, total } from "../../../scale/prometheus-text.js";

const text = `# HELP apiserver_request_total Counter
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="leases",verb="GET"} 7
apiserver_request_total{code="404",resource="leases",verb="GET"} 2 1700000000000
apiserver_request_total{code="200",resource="nodetasks",verb="GET"} 1.5e+03
quoted{text="a \\"quote\\", a \\\\ and a\\nbreak"} 1
sizes_bucket{le="+Inf"} +Inf
plain 0.25
`;

test("reads names, labels and values", () => {
  const series = parseExposition(text);
  expect(series).toHaveLength(6);
  expect(series[0]).toEqual({
    name: "apiserver_request_total",
    labels: { code: "200", resource: "leases", verb: "GET" },
    value: 7,
  });
  expect(series[2]?.value).toBe(1_500);
  expect(series[3]?.labels.text).toBe('a "quote", a \\ and a\nbreak');
  expect(series[4]?.value).toBe(Number.POSITIVE_INFINITY);
  expect(series[5]).toEqual({ name: "plain", labels: {}, value: 0.25 });
});

test("adds up the series that match", () => {
  const series = parseExposition(text);
  expect(total(series, "apiserver_request_total")).toBe(1_509);
  expect(total(series, "apiserver_request_total", { resource: "leases" })).toBe(9);
  expect(total(series, "apiserver_request_total", { resource: "events" })).toBe(0);
});
