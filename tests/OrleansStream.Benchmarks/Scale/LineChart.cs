using System.Globalization;
using System.Text;

namespace OrleansStream.Benchmarks.Scale;

/// <summary>One line of a panel, its points from left to right.</summary>
internal sealed record ChartLine(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>One diagram; the axis to the right is logarithmic where steps multiply. The axis upwards begins at zero.</summary>
internal sealed record ChartPanel(string Axis, bool Logarithmic, IReadOnlyList<ChartLine> Lines);

/// <summary>Draws panels of lines side by side, as SVG without scripts or fonts of its own.</summary>
internal sealed class LineChart(string title)
{
    private const double PanelWidth = 320;
    private const double PanelHeight = 220;
    private const double Margin = 56;
    private const double Top = 64;
    private const int Ticks = 4;

    private static readonly string[] Colours = ["#1f6feb", "#d1622b", "#2d8a4e", "#7a4fc0"];

    private readonly StringBuilder _svg = new();

    public string Draw(IReadOnlyList<ChartPanel> panels)
    {
        var width = panels.Count * (PanelWidth + Margin) + Margin;
        var height = Top + PanelHeight + Margin + 12;
        _svg.Clear();
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#333">""");
        Add($"""<rect width="{width}" height="{height}" fill="#fff"/>""");
        Add($"""<text x="{Margin}" y="24" font-size="16">{Escape(title)}</text>""");
        for (var i = 0; i < panels.Count; i++) DrawPanel(panels[i], Margin + i * (PanelWidth + Margin));
        Add($"</svg>");
        return _svg.ToString();
    }

    private void DrawPanel(ChartPanel panel, double left)
    {
        var xs = panel.Lines.SelectMany(static line => line.Points).Select(static point => point.X).Distinct().Order().ToList();
        var highest = Ceiling(panel.Lines.SelectMany(static line => line.Points).Max(static point => point.Y));
        double X(double x) => xs.Count == 1 ? left + PanelWidth / 2 : left + PanelWidth * (Along(panel, x) - Along(panel, xs[0])) / (Along(panel, xs[^1]) - Along(panel, xs[0]));
        double Y(double y) => Top + PanelHeight * (1 - y / highest);
        for (var tick = 0; tick <= Ticks; tick++)
        {
            var value = highest * tick / Ticks;
            Add($"""<line x1="{left:0.#}" x2="{left + PanelWidth:0.#}" y1="{Y(value):0.#}" y2="{Y(value):0.#}" stroke="#ddd"/>""");
            Add($"""<text x="{left - 6:0.#}" y="{Y(value) + 4:0.#}" text-anchor="end">{value:0.##}</text>""");
        }

        foreach (var x in xs) Add($"""<text x="{X(x):0.#}" y="{Top + PanelHeight + 18:0.#}" text-anchor="middle">{Short(x)}</text>""");
        Add($"""<text x="{left + PanelWidth / 2:0.#}" y="{Top + PanelHeight + 38:0.#}" text-anchor="middle">{Escape(panel.Axis)}</text>""");
        for (var i = 0; i < panel.Lines.Count; i++)
        {
            var (line, colour) = (panel.Lines[i], Colours[i % Colours.Length]);
            Add($"""<polyline fill="none" stroke="{colour}" stroke-width="2" points="{string.Join(' ', line.Points.Select(point => Text($"{X(point.X):0.#},{Y(point.Y):0.#}")))}"/>""");
            foreach (var point in line.Points) Add($"""<circle cx="{X(point.X):0.#}" cy="{Y(point.Y):0.#}" r="3" fill="{colour}"><title>{Escape(line.Name)}: {point.Y:0.00}</title></circle>""");
            Add($"""<text x="{left + i * 120:0.#}" y="{Top - 14:0.#}" fill="{colour}">{Escape(line.Name)}</text>""");
        }
    }

    private static double Along(ChartPanel panel, double x) => panel.Logarithmic ? Math.Log10(x) : x;

    /// <summary>The next 1, 2, 4 or 8 times a power of ten, so that ticks are round.</summary>
    private static double Ceiling(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(value, 1e-3))));
        return new[] { 1, 2, 4, 8, 10d }.Select(step => step * power).First(ceiling => ceiling >= value);
    }

    private static string Short(double x) => x >= 1e6 ? Text($"{x / 1e6:0.#} M") : x >= 1e3 ? Text($"{x / 1e3:0.#} k") : Text($"{x:0.#}");

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Add(FormattableString element) => _svg.Append(Text(element)).Append('\n');
}
