namespace OrleansStream.Changes;

/// <summary>Rows in the order of a value, rows of equal value in the order of arrival.</summary>
internal sealed class RowOrder<T, TBy>(Func<T, TBy> by, bool descending)
{
    /// <summary>Where a new row belongs: behind all that are before it or equal.</summary>
    public int PlaceOf(ReadOnlySpan<T> rows, T row)
    {
        var value = by(row);
        var (from, to) = (0, rows.Length);
        while (from < to)
        {
            var middle = (from + to) >>> 1;
            if (Compare(by(rows[middle]), value) <= 0) from = middle + 1;
            else to = middle;
        }

        return from;
    }

    /// <summary>The first row that equals one; -1 when there is none.</summary>
    public int Find(ReadOnlySpan<T> rows, T row)
    {
        var value = by(row);
        for (var place = PlaceOf(rows, row) - 1; place >= 0 && Compare(by(rows[place]), value) == 0; place--)
        {
            if (!EqualityComparer<T>.Default.Equals(rows[place], row)) continue;
            var first = place;
            while (--place >= 0 && Compare(by(rows[place]), value) == 0)
            {
                if (EqualityComparer<T>.Default.Equals(rows[place], row)) first = place;
            }

            return first;
        }

        return -1;
    }

    public static T[] With(ReadOnlySpan<T> rows, int place, T row)
    {
        var with = new T[rows.Length + 1];
        rows[..place].CopyTo(with);
        with[place] = row;
        rows[place..].CopyTo(with.AsSpan(place + 1));
        return with;
    }

    public static T[] Without(ReadOnlySpan<T> rows, int place)
    {
        var without = new T[rows.Length - 1];
        rows[..place].CopyTo(without);
        rows[(place + 1)..].CopyTo(without.AsSpan(place));
        return without;
    }

    private int Compare(TBy one, TBy other) => descending ? Comparer<TBy>.Default.Compare(other, one) : Comparer<TBy>.Default.Compare(one, other);
}
