namespace OrleansStream.Benchmarks.Cluster;

/// <summary>Rows of a table, printed as they come: each takes minutes.</summary>
internal sealed class FigureTable(TextWriter to)
{
    public void Head(params string[] columns)
    {
        Row(columns);
        Row([.. columns.Select(static _ => "---")]);
    }

    public void Row(params string[] cells) => to.WriteLine($"| {string.Join(" | ", cells)} |");

    public void Line(string text = "") => to.WriteLine(text);

    public static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0.00}");

    public static string Seconds(double milliseconds) => Seconds(TimeSpan.FromMilliseconds(milliseconds));

    public static string MiB(long bytes) => FormattableString.Invariant($"{bytes / 1048576d:0}");
}
