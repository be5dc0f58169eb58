namespace OrleansStream.Checkpoints;

/// <summary>Which names a container may have, as Azure says (<i>Naming and referencing containers, blobs, and metadata</i>).</summary>
internal static class ContainerNames
{
    /// <summary>What is wrong with a container's name, or null.</summary>
    public static string? ProblemOf(string? name)
    {
        if (string.IsNullOrEmpty(name)) return "is empty; name a container";
        if (name.Length is < 3 or > 63) return $"is '{name}'; it must have 3 to 63 characters";
        var previous = '-';
        foreach (var c in name)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')) return $"is '{name}'; '{c}' is not one of a-z, 0-9 and '-'";
            if (c == '-' && previous == '-') return $"is '{name}'; it may not begin with '-' or have two in a row";
            previous = c;
        }

        return previous == '-' ? $"is '{name}'; it may not end with '-'" : null;
    }
}
