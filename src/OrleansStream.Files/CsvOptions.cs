namespace OrleansStream;

/// <summary>How CSV files are read.</summary>
public sealed record CsvOptions
{
    /// <summary>What stands between fields; an ASCII character. A comma unless set.</summary>
    public char Separator { get; init; } = ',';

    /// <summary>
    /// What to do with a row that cannot be read. After a quote that is never closed, the row's first line alone counts as the bad row and reading goes on at the
    /// next line.
    /// </summary>
    public BadRecords BadRecords { get; init; }

    /// <summary>The longest row, in bytes; a longer one is a bad record. 1 MiB unless set.</summary>
    public int MaxRowBytes { get; init; } = 1 << 20;
}
