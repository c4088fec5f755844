namespace DataService.Data;

internal static class UtcClock
{
    extension(TimeProvider time)
    {
        /// <summary>Now in UTC, in the microseconds that PostgreSQL keeps: an answer and a later read of the row agree to the digit.</summary>
        public DateTime UtcNow
        {
            get
            {
                var now = time.GetUtcNow().UtcDateTime;
                return new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
            }
        }
    }
}
