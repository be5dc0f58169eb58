namespace OrleansStream.Hosting;

/// <summary>Offers the names that a mistyped one may have meant.</summary>
internal static class NearestName
{
    public static string Suggest(string name, IEnumerable<string> names)
    {
        var known = names.ToList();
        if (known.Count == 0) return "";
        var near = known.Select(other => (Name: other, Distance: Distance(name, other))).Where(other => other.Distance <= Math.Max(2, name.Length / 3)).OrderBy(static other => other.Distance).ToList();
        return near.Count > 0 ? $" Did you mean '{near[0].Name}'?" : $" There are: {string.Join(", ", known)}.";
    }

    /// <summary>The Levenshtein distance: how many characters to insert, delete or change.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var change = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j - 1], diagonal) + 1);
            }
        }

        return row[^1];
    }
}
