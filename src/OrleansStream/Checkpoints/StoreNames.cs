namespace OrleansStream.Checkpoints;

/// <summary>Which names objects may have: so that every store takes them, and none leads out of its folder.</summary>
internal static class StoreNames
{
    /// <summary>Checks an object's name: segments of a-z, 0-9, <c>-</c>, <c>_</c> and <c>.</c>, separated by <c>/</c>, each beginning with a letter, a digit or <c>_</c>.</summary>
    /// <exception cref="ArgumentException">It is no name.</exception>
    public static void Require(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.EndsWith('/')) throw Refused(name, "it ends in '/'");
        RequirePrefix(name);
        if (name.Length == 0) throw Refused(name, "it is empty");
    }

    /// <summary>Checks the beginning of names: as a name, but it may be empty or end anywhere.</summary>
    /// <exception cref="ArgumentException">No name begins so.</exception>
    public static void RequirePrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 512) throw Refused(prefix, "it is longer than 512 characters");
        var previous = '/';
        foreach (var c in prefix)
        {
            switch (c)
            {
                case (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_':
                    break;
                case '-' or '.' when previous != '/':
                    break;
                case '-' or '.':
                    throw Refused(prefix, $"a segment begins with '{c}'");
                case '/' when previous == '/':
                    throw Refused(prefix, "it has an empty segment, or is absolute");
                case '/' when previous == '.':
                    throw Refused(prefix, "a segment ends in '.'");
                case '/':
                    break;
                default:
                    throw Refused(prefix, $"'{c}' is not one of a-z, 0-9, '-', '_', '.', '/'");
            }

            previous = c;
        }
    }

    private static ArgumentException Refused(string name, string why) => new($"'{name}' names no checkpoint object: {why}.", nameof(name));
}
