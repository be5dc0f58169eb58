namespace OrleansStream.Checkpoints;

public sealed partial class LocalFolderStore
{
    /// <inheritdoc/>
    public IObjectWriter BeginObject(string name) => new Writer(this, name, PathOf(name));

    private sealed class Writer(LocalFolderStore store, string name, string path) : IObjectWriter
    {
        private readonly PieceOrder _order = new();
        private TemporaryFile? _file;

        private TemporaryFile Opened => _file ??= store.NewTemporaryFile();

        public async ValueTask WriteAsync(int piece, ReadOnlyMemory<byte> content, CancellationToken cancellation)
        {
            var offset = _order.Begin(piece, content.Length);
            await store.RunAsync(
                "write",
                name,
                () =>
                {
                    Opened.Write(offset, content.Span);
                    return true;
                },
                cancellation);
            _order.Written();
        }

        public async ValueTask<bool> TryCreateAsync(CancellationToken cancellation)
        {
            _order.Close();
            return await store.RunAsync("create", name, () => store.Link(Opened, path), cancellation);
        }

        public async ValueTask DisposeAsync()
        {
            try
            {
                if (_file is { } file) await Task.Run(file.Dispose);
            }
            catch (Exception e) when (IsStoreError(e))
            {
                // Its file stays under tmp/ and is removed when it is old.
            }
        }
    }
}
