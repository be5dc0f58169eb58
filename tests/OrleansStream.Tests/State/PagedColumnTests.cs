using OrleansStream.State;

namespace OrleansStream.Tests.State;

public sealed class PagedColumnTests
{
    private const int Cells = PagedColumn<long>.PageCells;

    private readonly PagedColumn<long> _column = new();

    public PagedColumnTests()
    {
        _column.Reserve(4 * Cells);
        for (var slot = 0; slot < 4 * Cells; slot++) _column.Write(slot) = slot;
    }

    [Fact]
    public void A_page_is_copied_once_however_often_it_is_written_after_a_freeze()
    {
        var view = _column.Freeze(4 * Cells, since: 0);
        for (var i = 0; i < Cells; i++) _column.Write(i) = -1;
        Assert.Equal(1, _column.CopiedPages);
        Assert.Equal(Enumerable.Range(0, Cells).Select(i => (long)i), view.Page(0).ToArray());
    }

    [Fact]
    public void A_page_that_the_encoder_has_passed_is_written_in_place()
    {
        var view = _column.Freeze(4 * Cells, since: 0);
        view.Pass(1);
        _column.Write(Cells) = -1;
        Assert.Equal(0, _column.CopiedPages);
        _column.Write(0) = -1;
        Assert.Equal(1, _column.CopiedPages);
    }

    [Fact]
    public void A_released_view_costs_no_copies()
    {
        _column.Freeze(4 * Cells, since: 0).Release();
        _column.Write(0) = -1;
        Assert.Equal(0, _column.CopiedPages);
    }

    [Fact]
    public void A_page_that_is_unchanged_since_the_base_is_neither_read_nor_copied()
    {
        _column.Freeze(4 * Cells, since: 0).Release();
        _column.Write(Cells) = -1;
        var view = _column.Freeze(4 * Cells, since: 1);
        Assert.Equal(0, view.Page(0).Length);
        Assert.Equal(Cells, view.Page(1).Length);
        _column.Write(0) = -1;
        Assert.Equal(0, _column.CopiedPages);
    }

    [Fact]
    public void Two_views_at_once_each_keep_what_they_froze()
    {
        var first = _column.Freeze(4 * Cells, since: 0);
        _column.Write(0) = 100;
        var second = _column.Freeze(4 * Cells, since: 0);
        _column.Write(0) = 200;
        second.Pass(0);
        _column.Write(1) = 300;
        Assert.Equal(0, first.Page(0)[0]);
        Assert.Equal(100, second.Cell(0));
        Assert.Equal(200, _column.Read(0));
        first.Release();
        Assert.Equal(2, _column.CopiedPages);
    }
}
