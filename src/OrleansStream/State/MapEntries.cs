using System.Collections;

namespace OrleansStream.State;

/// <summary>The entries of one key's map, in the order in which their keys came into it.</summary>
internal readonly struct MapEntries<MK, MV>(MapColumn<MK, MV> column, int slot) : IEnumerable<KeyValuePair<MK, MV>>
    where MK : notnull
{
    public Enumerator GetEnumerator() => new(column, slot);

    IEnumerator<KeyValuePair<MK, MV>> IEnumerable<KeyValuePair<MK, MV>>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Walks the chain of entries; refuses to go on when entries came or went.</summary>
    internal struct Enumerator(MapColumn<MK, MV> column, int slot) : IEnumerator<KeyValuePair<MK, MV>>
    {
        private readonly int _version = column.Version;
        private int _next = column.FirstOf(slot);
        private int _entry = -1;

        public readonly KeyValuePair<MK, MV> Current => column.EntryAt(_entry);

        readonly object IEnumerator.Current => Current;

        public bool MoveNext()
        {
            if (column.Version != _version)
            {
                throw new InvalidOperationException(
                    $"Map state '{column.Shape.Name}' got or lost entries while it was enumerated. Collect the changes and apply them after the loop.");
            }

            _entry = _next;
            if (_entry < 0) return false;
            _next = column.NextOf(_entry);
            return true;
        }

        public readonly void Reset() => throw new NotSupportedException();

        public readonly void Dispose()
        {
        }
    }
}
