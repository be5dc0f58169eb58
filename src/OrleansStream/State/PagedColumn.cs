using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansStream.State;

// Contract: a frozen view reads what the column held when it was frozen, from any thread, while the owner goes on writing.
// - A freeze copies the array of page pointers and moves to a new epoch; it touches no cell.
// - The owner's first write to a page in an epoch asks every frozen view whether it still needs that very page, and copies the page if one does.
// - A view stops needing a page when the encoder has passed it or the view is released, and never needs it again. The encoder says so with a
//   release-write after its last read of the page; the owner asks with an acquire-read before its first write. So a cell is never written
//   while it may still be read.
// - A page's epoch is the last one in which the page was written: a delta skips pages not written since its base.
// - Epoch 0 is before everything. Only the owner's thread calls anything on the column itself.

/// <summary>Cells by slot number, in pages that are copied on the first write after a freeze, if the frozen view still needs them.</summary>
/// <typeparam name="TCell">A struct; large ones make large pages.</typeparam>
internal sealed class PagedColumn<TCell>
    where TCell : struct
{
    public const int PageShift = 6;
    public const int PageCells = 1 << PageShift;
    public const int PageMask = PageCells - 1;

    private static readonly TCell Absent;

    private TCell[]?[] _pages = [];
    private uint[] _pageEpochs = [];
    private uint _epoch = 1;
    private readonly List<FrozenColumn<TCell>> _views = [];

    /// <summary>The epoch that writes are marked with; it begins with 1 and moves on at each freeze.</summary>
    public uint Epoch => _epoch;

    /// <summary>How many pages were copied for a frozen view so far.</summary>
    public long CopiedPages { get; private set; }

    /// <summary>Makes room for slots below <paramref name="slots"/>. Pages themselves are made by the first write.</summary>
    public void Reserve(int slots)
    {
        var pages = (slots + PageMask) >> PageShift;
        if (pages <= _pages.Length) return;
        var room = Math.Max(pages, Math.Max(4, _pages.Length * 2));
        Array.Resize(ref _pages, room);
        Array.Resize(ref _pageEpochs, room);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly TCell Read(int slot)
    {
        var page = _pages[slot >> PageShift];
        if (page is null) return ref Absent;
        // The masked index is always inside a page, so its bounds need no check.
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(page), slot & PageMask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TCell Write(int slot)
    {
        var p = slot >> PageShift;
        if (_pageEpochs[p] != _epoch) TakePage(p);
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_pages[p]!), slot & PageMask);
    }

    /// <summary>Sets cells that lie in one page to their default.</summary>
    public void Clear(int slot, int count) => MemoryMarshal.CreateSpan(ref Write(slot), count).Clear();

    /// <summary>Freezes the cells as they are and begins the next epoch.</summary>
    /// <param name="slots">How many slots there are.</param>
    /// <param name="since">The view passes over pages not written after this epoch; 0 for all pages.</param>
    public FrozenColumn<TCell> Freeze(int slots, uint since)
    {
        var pages = Math.Min(_pages.Length, (slots + PageMask) >> PageShift);
        var view = new FrozenColumn<TCell>(_pages.AsSpan(0, pages).ToArray(), _pageEpochs.AsSpan(0, pages), since);
        _views.RemoveAll(static v => v.IsReleased);
        _views.Add(view);
        NextEpoch();
        return view;
    }

    /// <summary>Begins the next epoch without a freeze.</summary>
    public void NextEpoch()
    {
        if (_epoch == uint.MaxValue >> 1) throw new InvalidOperationException("The column has been frozen more often than it can count.");
        _epoch++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TakePage(int p)
    {
        var page = _pages[p];
        if (page is null)
        {
            _pages[p] = NewPage();
        }
        else if (IsNeeded(page, p))
        {
            var copy = NewPage();
            page.CopyTo(copy, 0);
            _pages[p] = copy;
            CopiedPages++;
        }

        _pageEpochs[p] = _epoch;
    }

    /// <summary>
    /// Pages live long and come in floods, when a large state is filled or written to behind a freeze: without references they go where the collector never moves anything,
    /// so that no pause is spent on carrying them from generation to generation.
    /// </summary>
    private static TCell[] NewPage() => GC.AllocateArray<TCell>(PageCells, pinned: !RuntimeHelpers.IsReferenceOrContainsReferences<TCell>());

    private bool IsNeeded(TCell[] page, int p)
    {
        // Released views leave the list here and at the next freeze, on the owner's thread, so that their pages can be collected.
        for (var i = _views.Count - 1; i >= 0; i--)
        {
            if (_views[i].IsReleased) _views.RemoveAt(i);
            else if (_views[i].Needs(page, p)) return true;
        }

        return false;
    }
}

/// <summary>The cells of a column as of a freeze, read by one encoder on any thread.</summary>
internal sealed class FrozenColumn<TCell>
    where TCell : struct
{
    private readonly TCell[]?[] _pages;
    private readonly bool[] _passed;
    private volatile bool _released;

    public FrozenColumn(TCell[]?[] pages, ReadOnlySpan<uint> pageEpochs, uint since)
    {
        _pages = pages;
        _passed = new bool[pages.Length];
        for (var p = 0; p < pages.Length; p++) _passed[p] = pages[p] is null || pageEpochs[p] <= since;
    }

    public bool IsReleased => _released;

    /// <summary>Asked by the owner's thread: whether the encoder may still read this very page.</summary>
    public bool Needs(TCell[] page, int p) =>
        !_released && p < _pages.Length && !Volatile.Read(ref _passed[p]) && ReferenceEquals(_pages[p], page);

    /// <summary>The cells of a page; empty when it was passed, or holds nothing that the view is for.</summary>
    public ReadOnlySpan<TCell> Page(int p) => _passed[p] ? default : _pages[p];

    /// <summary>One cell of a page that was not passed; the default where nothing was ever written.</summary>
    public TCell Cell(int slot)
    {
        var p = slot >> PagedColumn<TCell>.PageShift;
        return p < _pages.Length && _pages[p] is { } page ? page[slot & PagedColumn<TCell>.PageMask] : default;
    }

    /// <summary>
    /// Encodes page by page, and passes each. Gives way whenever the blocks are full: <paramref name="encode"/> gets a page that is not empty, its first slot
    /// and the place of the cell to begin with, and returns the place behind the last cell that it encoded.
    /// </summary>
    public IEnumerable<SegmentBlocks> EncodePages(SegmentBlocks blocks, PageEncoding<TCell> encode)
    {
        for (var p = 0; p < _pages.Length; p++)
        {
            for (var next = 0; next < Page(p).Length;)
            {
                next = encode(Page(p), p << PagedColumn<TCell>.PageShift, next);
                if (next < Page(p).Length) yield return blocks;
            }

            Pass(p);
            blocks.ThrowIfReleased();
        }
    }

    /// <summary>Says that the encoder will not read the page again.</summary>
    public void Pass(int p) => Volatile.Write(ref _passed[p], true);

    /// <summary>Says that nobody will read the view again.</summary>
    public void Release() => _released = true;
}

/// <summary>Encodes the cells of a page from a place on, until the blocks are full; see <see cref="FrozenColumn{TCell}.EncodePages"/>.</summary>
internal delegate int PageEncoding<TCell>(ReadOnlySpan<TCell> page, int firstSlot, int next)
    where TCell : struct;
