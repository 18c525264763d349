import java.io.File;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.HdrHistogram.HistogramLogReader;

/** Reads a log with the original implementation and prints one interval a line: tag, start, end, count, lowest:count ... */
public class ReadHlog {
  public static void main(String[] arguments) throws Exception {
    try (HistogramLogReader reader = new HistogramLogReader(new File(arguments[0]))) {
      while (reader.hasNext()) {
        EncodableHistogram next = reader.nextIntervalHistogram();
        if (next == null) break;
        Histogram histogram = (Histogram) next;
        StringBuilder line = new StringBuilder(String.valueOf(histogram.getTag()));
        line.append(' ').append(histogram.getStartTimeStamp()).append(' ').append(histogram.getEndTimeStamp());
        line.append(' ').append(histogram.getTotalCount()).append(' ').append(histogram.getMaxValue());
        for (HistogramIterationValue value : histogram.recordedValues()) {
          line.append(' ').append(histogram.lowestEquivalentValue(value.getValueIteratedTo()));
          line.append(':').append(value.getCountAtValueIteratedTo());
        }
        System.out.println(line);
      }
    }
  }
}
